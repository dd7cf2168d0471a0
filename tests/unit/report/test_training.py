"""What training took, as the report shows it."""

from lemur.report.training import rows


def step(number: int, **changes) -> dict:
    return {
        "step": number, "tokens": 64 * number, "loss": 2.0, "tokens_per_second": 100.0 * number,
        "seconds": 60.0, "mfu": 0.4, "data_seconds": 0.6, "memory_mb": 1500.0 + number, **changes,
    }  # fmt: skip


def test_a_stage_in_one_row():
    steps = [step(1), step(2, spike=True), step(3)]
    assert rows({"sft": steps}) == [
        {
            "stage": "Instruction tuning (SFT)", "steps": "3", "spikes": "1",
            "time": "3m00s", "speed": "200", "mfu": "40%", "waiting": "1.0%", "memory": "1.50",
        }
    ]  # fmt: skip


def test_a_run_that_did_not_measure_itself_has_none():
    assert rows({"pretrain": [{"step": 1, "tokens": 64, "loss": 2.0, "seconds": 1.0}]}) == []

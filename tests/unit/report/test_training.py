"""What training took, as the report shows it."""

from lemur.report.training import rows
from lemur.training.step_metrics import StepMetrics


def step(number: int, **changes) -> StepMetrics:
    given = {
        "step": number, "tokens": 64 * number, "loss": 2.0, "learning_rate": 1e-4, "gradient_norm": 1.0, "tokens_per_second": 100.0 * number,
        "seconds": 60.0, "mfu": 0.4, "peak_tflops": 0.21, "data_seconds": 0.6, "memory_mb": 1500.0 + number,
    }  # fmt: skip
    return StepMetrics(**given | changes)


def test_a_stage_in_one_row():
    steps = [step(1), step(2, spike=True), step(3)]
    assert rows({"sft": steps}) == [
        {
            "stage": "Instruction tuning (SFT)", "steps": "3", "spikes": "1",
            "time": "3m00s", "speed": "200", "mfu": "40%", "peak": "0.21", "waiting": "1.0%", "memory": "1.50",
        }
    ]  # fmt: skip


def test_the_peak_is_that_of_each_stage():
    """The shares of two stages are of two peaks; a run that was continued elsewhere has two itself."""
    steps = {
        "pretrain": [step(1, peak_tflops=0.5), step(2, peak_tflops=0.704)],
        "sft": [step(1, peak_tflops=None)],
    }
    assert [row["peak"] for row in rows(steps)] == ["0.5 to 0.704", "not kept"]


def test_a_run_that_did_not_measure_itself_has_none():
    assert rows({"pretrain": [StepMetrics(1, 64, 2.0, 1e-4, 1.0, seconds=1.0)]}) == []

"""The plan's stall against a simulation of every rank's writing, step by step."""

import random

import pytest
from lemur import cost
from lemur.config import recipe
from lemur.core.contracts import plain
from lemur.cost import checkpoints
from lemur.cost.recipe import planned


def plan_of(made):
    return plain(cost.cost(planned(made)))


def simulated(made: dict, saves: int, slowest: float, seed: int = 0) -> tuple[float, float]:
    """(seconds of stall a checkpoint, share of the time) of ``saves`` checkpoints.

    As ``lemur.training.saving`` does it: a save waits for the one before, copies on all ranks (the
    slowest counts), and each rank's write takes up to ``slowest`` times what its rates say. A
    checkpoint is complete at the first step after the last rank's write.
    """
    part, draw = made["pretrain"], random.Random(seed)
    parallel = part["parallel"]
    ranks, each = parallel["nodes"] * parallel["processes_per_node"], parallel["processes_per_node"]
    facts = plan_of(made)["stages"]["pretrain"]
    step = facts["days"] * 86_400 / facts["steps"]
    mine = made_gigabytes(made) / ranks
    now = stalled = 0.0
    on_disk = [0.0] * ranks
    for number in range(saves * part["checkpoint"]["every_steps"]):
        now += step
        if (number + 1) % part["checkpoint"]["every_steps"]:
            continue
        began = now
        now = max(now, *on_disk)
        now += max(
            mine / checkpoints.COPY_RATE["cuda"] * draw.uniform(1, 1.2) for _ in range(ranks)
        )
        stalled += now - began
        rate = min(checkpoints.DISK_RATE / each, checkpoints.HASH_RATE)
        on_disk = [now + mine / rate * draw.uniform(1, slowest) for _ in range(ranks)]
    return stalled / saves, stalled / now


def made_gigabytes(made: dict) -> float:
    return plan_of(made)["checkpoint_gb"]


@pytest.fixture(scope="module")
def paper():
    made = recipe.resolve("lemur-70b")
    assert planned(made).pretrain.parallel.ranks == 256
    return made


def test_training_70b_stands_still_for_less_than_a_hundredth(paper):
    """32 nodes at 2 GB/s each, as planned and as simulated; also where some ranks write slowly."""
    found = plan_of(paper)["stages"]["pretrain"]["checkpoint"]
    seconds, share = simulated(paper, 40, slowest=1.5)
    assert found["seconds"] == pytest.approx(seconds, rel=0.25)
    assert max(found["share"], share, simulated(paper, 40, slowest=20)[1]) < 0.01
    # What it was: one rank gathers, writes and hashes 828 GB while the others wait.
    alone = made_gigabytes(paper) * (1 / checkpoints.DISK_RATE + 1 / checkpoints.HASH_RATE)
    assert alone / found["interval"] > 0.1


def test_writing_slower_than_training_is_waited_for(paper, monkeypatch):
    paper = {
        **paper,
        "pretrain": {**paper["pretrain"], "checkpoint": {"every_steps": 1, "keep": 2}},
    }
    monkeypatch.setattr(checkpoints, "DISK_RATE", 0.01)
    found = plan_of(paper)["stages"]["pretrain"]["checkpoint"]
    seconds, share = simulated(paper, 40, slowest=1.0)
    assert found["seconds"] == pytest.approx(seconds, rel=0.05)  # the first waits for nothing
    assert found["share"] == pytest.approx(share, rel=0.05) and share > 0.5


def test_one_rank_waits_until_all_is_written():
    made = recipe.resolve("mini")
    found = plan_of(made)["stages"]["pretrain"]["checkpoint"]
    size = made_gigabytes(made)
    expected = size / checkpoints.DISK_RATE + size / checkpoints.HASH_RATE
    assert found["seconds"] == found["written"] == pytest.approx(expected)


def test_the_dry_run_says_it(paper):
    (line,) = [text for text in cost.summary(planned(paper)) if text.startswith("  stall")]
    assert "training stands still for 0.16 s a checkpoint" in line and "% of its time" in line

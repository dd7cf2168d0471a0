"""Evidence that a test makes, in the shapes of reports/paper/."""

import pytest
import trial_run
from lemur.agents import outcomes
from lemur.agents.outcomes import Outcome
from lemur.claims.evidence import Evidence
from lemur.figures import reported


@pytest.fixture(scope="session")
def paper():
    """What reports/paper/ holds."""
    return (
        reported.read(trial_run.PAPER / "reported.csv"),
        outcomes.read(trial_run.PAPER / "mint_outcomes.tsv.gz"),
    )


@pytest.fixture
def evidence():
    """Of two benchmarks with 1,000 problems each, and of what else a test gives."""

    def make(printed=None, solved=None, **more):
        """``printed``: model to (text, code); ``solved``: model to a text of 0 and 1 an episode."""
        numbers = {
            (model, metric): value
            for model, pair in (printed or {}).items()
            for metric, value in zip(("T", "C"), pair, strict=True)
        }
        lines = [
            Outcome(
                model,
                "none",
                "reasoning",
                "t",
                k,
                int(one),
                "solved" if int(one) else "wrong twice",
                1,
                0,
                9,
            )
            for model, text in (solved or {}).items()
            for k, one in enumerate(text)
        ]
        given = {"problems": {"T": 1000, "C": 1000}, "domains": {"text": ["T"], "code": ["C"]}}
        return Evidence(reported={"foundation": numbers}, outcomes=lines, **{**given, **more})

    return make

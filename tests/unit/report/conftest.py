"""A run with its figures drawn, whose page is looked at."""

import pytest
import trial_run
import yaml
from lemur.core.provenance import ROOT
from lemur.figures import agent, dots, loss, mixture, settings
from lemur.report import page

CONFIG = yaml.safe_load((ROOT / "config" / "figures.yaml").read_text())


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """A run with its figures drawn (once for all tests), as ``Inputs``."""
    folder = tmp_path_factory.mktemp("run")
    files = trial_run.files(folder)
    drawn = folder / "figures"

    def spec(name):
        return settings.spec(CONFIG, name, trial_run.RECIPE)

    stages = {stage: files[stage] for stage in ("pretrain", "sft")}
    loss.write(spec("loss"), stages, files["scores"], drawn / "loss.svg")
    mixture.write(spec("mixture"), files["plan"], files["realised"], drawn / "mixture.svg")
    dots.write_bits(spec("bits_per_byte"), files["scores"], drawn / "bits_per_byte.svg")
    agent.write_table(
        settings.spec(CONFIG, "agent_table"), trial_run.PAPER / "reported.csv",
        trial_run.PAPER / "mint_outcomes.tsv.gz", drawn / "agent_table.html",
    )  # fmt: skip
    names = ("loss.svg", "mixture.svg", "bits_per_byte.svg", "agent_table.html")
    return page.Inputs(
        figures=[drawn / name for name in names],
        scores=files["scores"],
        metrics=[files["pretrain"], files["sft"]],
        plan=files["plan"],
        realised=files["realised"],
        statistics=files["statistics"],
    )

"""The command that sends: what it shows, what it refuses, what it does not send twice, what it never prints."""

import contextlib
import io
import json
import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
import trial_run
from hubserver import HubServer
from lemur.core.errors import UserError
from lemur.core.provenance import ROOT
from lemur.download import retry
from lemur.publish import hub, offer, secret
from lemur.publish.licences import model_refusals, refusals
from lemur.publish.offer import File
from lemur.publish.parts import Made
from lemur.publish.run import run as publish
from zenodo_server import ZenodoServer

TOKEN = "zen-right"
SPEC = {
    "to": "zenodo", "what": ["model", "dataset", "report", "crate"], "authors": ["Doe, Jane"],
    "recipe": "mini", "description": "A run", "corpus": "mini", "model": "chat",
    "model_licence": "Apache-2.0", "confirm": True,
    "generated": [{"generated_by": "GPT-4", "licence": "MIT", "terms": "no competing models"}],
}  # fmt: skip
CARD = "---\nlicense: apache-2.0\n---\n\n# mini-chat\n"


@dataclass(frozen=True)
class Done:
    stdout: str
    complaint: str


class Run:
    """A run's folder, and the command in it."""

    def __init__(self, folder, licences=("MIT", "BSD-3-Clause")):
        self.folder, results = folder, folder / "results"
        self.write(results / "mini/sft/model/model.safetensors", b"w" * 5000)
        self.write(results / "mini/sft/model/README.md", b"not this one")
        self.write(results / "mini/card/chat/README.md", CARD.encode())
        self.write(results / "mini/card/chat/.eval_results/lemur.yaml", b"[]\n")
        self.write(results / "corpus/mini/sympy/part-0-of-1.parquet", b"p" * 3000)
        self.write(results / "corpus/mini/datasheet.md", b"# Corpus mini\n")
        self.write(results / "corpus/mini/croissant.json", b"{}")
        self.write(results / "mini/report.html", b"<p>report</p>")
        self.write(results / "ro-crate-metadata.json", b"{}")
        self.write(results / "ro-crate/recipe.json", b"{}")
        counted = {name: {"documents": 1, "bytes": 9} for name in licences}
        trial_run.write_file(
            results / "corpus/mini/sympy/part-0-of-1.stats.json",
            {"source": "sympy", "kind": "code", "documents": 2, "bytes": 18, "licences": counted},
        )

    @staticmethod
    def write(path, data):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def made(self):
        return {
            "model": "mini/sft/model", "card": "mini/card/chat/README.md",
            "documents": "corpus/mini/sympy/part-0-of-1.parquet",
            "statistics": "corpus/mini/sympy/part-0-of-1.stats.json",
            "datasheet": "corpus/mini/datasheet.md", "croissant": "corpus/mini/croissant.json",
            "report": "mini/report.html", "crate": "ro-crate-metadata.json",
        }  # fmt: skip

    def words(self, **changed):
        """The command as the rule gives it, to the hub."""
        command = [sys.executable, ROOT / "scripts/9_export/publish.py", "--spec", json.dumps({**SPEC, "to": "hub", **changed})]  # fmt: skip
        for name, path in self.made().items():
            command += [f"--{name}", f"results/{path}"]
        return command

    def surroundings(self, address, token):
        environment = {**os.environ, "HF_ENDPOINT": address, "HF_TOKEN": token}
        return environment | {"HF_HUB_DISABLE_XET": "1", "HF_HOME": str(self.folder / "home")}

    def start(self, address, **changed):
        return subprocess.Popen(
            self.words(**changed), cwd=self.folder, env=self.surroundings(address, "hf_right"),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def command(self, address, token, **changed):
        done = subprocess.run(
            self.words(**changed), cwd=self.folder, capture_output=True, text=True,
            env=self.surroundings(address, token), timeout=120,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        assert token not in done.stdout + done.stderr
        return done

    def publish(self, address, token=TOKEN, **changed):
        """The same work in this process, to Zenodo: what it prints, and its complaint."""
        given = {name: Path("results", path) for name, path in self.made().items()}
        given |= {name: [given[name]] for name in ("documents", "statistics")}
        output, complaint = io.StringIO(), ""
        environment = {"ZENODO_URL": address, **({"ZENODO_TOKEN": token} if token else {})}
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(output):
            patch.chdir(self.folder)
            patch.delenv("ZENODO_TOKEN", raising=False)
            for name, value in environment.items():
                patch.setenv(name, value)
            patch.setattr(retry, "sleep", lambda seconds: None)
            try:
                publish({**SPEC, **changed}, Made(**given))
            except UserError as error:
                complaint = str(error)
        assert not token or token not in output.getvalue() + complaint
        return Done(output.getvalue(), complaint)


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path)


@pytest.fixture
def zenodo():
    with ZenodoServer(TOKEN) as server:
        yield server


def said(done):
    """The one line of a refusal."""
    assert done.complaint and "\n" not in done.complaint
    return done.complaint


def test_nothing_is_sent_before_it_is_confirmed(run, zenodo):
    done = run.publish(zenodo.url, token=None, confirm=False)
    assert not done.complaint
    rows = {line.split()[0]: line for line in done.stdout.splitlines()[1:5]}
    assert "Apache-2.0" in rows["model"] and f"{zenodo.url}, a draft" in rows["model"]
    assert "MIT" in rows["dataset"] and "BSD-3-Clause" in rows["dataset"]
    assert "trained on text that GPT-4 wrote (MIT): no competing models" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("nothing was sent") and zenodo.drafts == {}


def test_a_draft_takes_every_part_once_and_a_second_run_sends_nothing(run, zenodo):
    zenodo.busy = 1  # a busy server is asked again
    done = run.publish(zenodo.url)
    assert not done.complaint
    (draft,) = zenodo.drafts.values()
    assert draft["metadata"]["creators"] == [{"name": "Doe, Jane"}]
    assert zenodo.puts == ["model.zip", "dataset.zip", "report.zip", "crate.zip"]
    assert f"published by you: {zenodo.url}/deposit/1" in done.stdout
    model = zipfile.ZipFile(io.BytesIO(zenodo.files[1]["model.zip"]))
    assert model.namelist() == [".eval_results/lemur.yaml", "README.md", "model.safetensors"]
    assert model.read("README.md").decode() == CARD
    dataset = zipfile.ZipFile(io.BytesIO(zenodo.files[1]["dataset.zip"]))
    assert {"README.md", "croissant.json", "sympy/part-0-of-1.parquet"} == set(dataset.namelist())
    # As after a kill: one archive is missing, one was cut short.
    del zenodo.files[1]["report.zip"]
    zenodo.files[1]["model.zip"] = zenodo.files[1]["model.zip"][:100]
    zenodo.puts.clear()
    done = run.publish(zenodo.url)
    assert zenodo.puts == ["model.zip", "report.zip"] and len(zenodo.drafts) == 1
    assert "dataset: there already" in done.stdout


@pytest.mark.parametrize("changed, why", [
    ({"model_licence": "CC-BY-ND-4.0"}, "model: 'CC-BY-ND-4.0' is not known to allow handing it on (what=[dataset,report,crate] sends the others)"),
    ({"model_licence": "unknown"}, "model: 'unknown' is not known"),
    ({"authors": []}, 'authors=["Family, Given"]'),
    ({"what": ["dataset"], "licence": "All rights reserved"}, "licence=All rights reserved"),
])  # fmt: skip
def test_what_a_licence_forbids_is_refused_before_anything_is_sent(run, zenodo, changed, why):
    assert why in said(run.publish(zenodo.url, **changed))
    assert zenodo.drafts == {}


def test_a_corpus_that_may_not_be_handed_on_takes_the_report_with_it(tmp_path, zenodo):
    run = Run(tmp_path, ["MIT", "CC-BY-ND-4.0"])
    line = said(run.publish(zenodo.url))
    assert "dataset: 'CC-BY-ND-4.0'" in line and "report: 'CC-BY-ND-4.0'" in line
    assert "what=[model,crate] sends the others" in line and zenodo.drafts == {}
    assert not run.publish(zenodo.url, what=["model", "crate"]).complaint
    assert zenodo.puts == ["model.zip", "crate.zip"]


def test_text_of_ones_own_is_given_away_under_a_licence_that_is_said():
    assert "say under which licence" in refusals(["MIT", "LicenseRef-Own"])[0]
    assert refusals(["MIT OR CC-BY-ND-4.0", "LicenseRef-Own"], "CC-BY-4.0") == []
    assert refusals(["MIT AND CC-BY-ND-4.0"]) and refusals(["LicenseRef-Secret"])
    assert model_refusals("Llama-2 Community License") == [] and model_refusals("proprietary")


def test_tokens_and_servers_that_do_not_fit_are_one_line(run, zenodo, tmp_path):
    assert "set ZENODO_TOKEN, or ZENODO_TOKEN_FILE" in said(run.publish(zenodo.url, token=None))
    wrong = said(run.publish(zenodo.url, token="zen-wrong-secret"))
    assert "does not accept the token" in wrong and "deposit:write" in wrong
    assert "must begin with https://" in said(run.publish("http://zenodo.example"))
    zenodo.damage = True
    assert "what arrived is not what was sent" in said(run.publish(zenodo.url, what=["crate"]))
    zenodo.elsewhere = "http://127.0.0.1:9"
    assert "another server: no token is sent there" in said(run.publish(zenodo.url, what=["model"]))


def test_the_hub_gets_a_model_and_a_data_set_and_no_file_twice(run):
    given = {"repository": "jane/mini"}
    with HubServer() as server:
        server.uploads.cut = 1  # a connection that breaks is tried again
        done = run.command(server.url, "hf_right", **given)
        assert done.returncode == 0, done.stderr
        assert server.uploads.made == [
            ("model", "jane/mini", "private"),
            ("dataset", "jane/mini", "private"),
        ]
        model, data = server.models["jane/mini"], server.datasets["jane/mini"]
        assert set(model) == {"README.md", "model.safetensors", ".eval_results/lemur.yaml"}
        assert model["README.md"].decode() == CARD and len(model["model.safetensors"]) == 5000
        assert {"sympy/part-0-of-1.parquet", "croissant.json", "report.html", "ro-crate/recipe.json"} <= set(data)  # fmt: skip
        assert b"license: other" in data["README.md"] and b"# Corpus mini" in data["README.md"]
        puts, commits = len(server.uploads.puts), len(server.uploads.commits)
        # As after a kill between a large file and the commit that names it.
        del model["model.safetensors"], data["croissant.json"]
        done = run.command(server.url, "hf_right", **given)
        assert "model: 1 files sent, 2 there already" in done.stdout
        assert server.uploads.commits[commits:] == [["model.safetensors"], ["croissant.json"]]
        assert len(server.uploads.puts) == puts  # the store had it
        done = run.command(server.url, "hf_right", **given)
        assert "model: 0 files sent" in done.stdout and len(server.uploads.commits) == commits + 2


@pytest.mark.long
def test_a_killed_upload_continues_where_it_was(run):
    with HubServer() as server:
        began = run.start(server.url, repository="jane/mini")
        server.uploads.after_commit = began.kill
        assert began.wait(timeout=120) == -9
        server.uploads.after_commit = lambda: None
        assert set(server.models["jane/mini"]) and not server.datasets.get("jane/mini")
        puts = list(server.uploads.puts)
        done = run.command(server.url, "hf_right", repository="jane/mini")
        assert "model: 0 files sent, 3 there already" in done.stdout
        assert server.uploads.puts[: len(puts)] == puts
        assert len(set(server.uploads.puts)) == len(server.uploads.puts)  # none twice
        assert "croissant.json" in server.datasets["jane/mini"]


def test_a_hub_that_repeats_a_wrong_token_does_not_get_it_printed(run):
    with HubServer() as server:
        done = run.command(server.url, "hf_wrong_secret", repository="jane/mini")
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert done.returncode == 2 and "does not accept the token (HTTP 401): it needs to write to jane/mini" in line  # fmt: skip


def test_a_token_shows_itself_to_nobody(monkeypatch, tmp_path):
    token = secret.Token(" abc123 \n", "X")
    assert f"{token}{token!r}{[token]}" == "******[***]" and token.masked("a abc123 b") == "a *** b"
    with pytest.raises(UserError, match=r"^zenodo: ValueError: Bearer \*\*\*: the same"), secret.hiding(token, "zenodo"):  # fmt: skip
        raise ValueError("Bearer abc123")
    (tmp_path / "token").write_text("from-file\n")
    monkeypatch.delenv("ZENODO_TOKEN", raising=False)
    monkeypatch.setenv("ZENODO_TOKEN_FILE", str(tmp_path / "token"))
    assert secret.from_environment("ZENODO_TOKEN").reveal() == "from-file"
    monkeypatch.setenv("ZENODO_TOKEN_FILE", str(tmp_path / "none"))
    with pytest.raises(UserError, match="ZENODO_TOKEN_FILE: .* cannot be read"):
        secret.from_environment("ZENODO_TOKEN")


def test_a_link_out_of_what_is_sent_is_refused(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "secret").write_text("x")
    (tmp_path / "model" / "w").symlink_to(tmp_path / "secret")
    with pytest.raises(UserError, match="a link that leads out"):
        offer.folder_files(tmp_path / "model")


def test_commits_hold_as_much_as_a_kill_may_lose(tmp_path, monkeypatch):
    monkeypatch.setattr(hub, "COMMIT_BYTES", 10)
    files = []
    for number, size in enumerate((6, 6, 3, 20, 1)):
        (tmp_path / str(number)).write_bytes(b"x" * size)
        files.append(File(tmp_path / str(number), str(number)))
    assert [[file.place for file in commit] for commit in hub._commits(files)] == [["0"], ["1", "2"], ["3"], ["4"]]  # fmt: skip

"""docs/formats.md is what the types say."""

import json

import pytest
from lemur.core import contracts
from lemur.core.errors import UserError
from lemur.core.provenance import ROOT
from lemur.evaluation.fingerprint import Settings
from lemur.evaluation.response_journal import Generation
from lemur.evaluation.sample import Sample
from lemur.evaluation.score import Responses, Score, Share
from lemur.evaluation.verdicts import ProblemVerdict, read_verdicts
from lemur.report import formats


def test_the_page_is_current():
    assert (ROOT / "docs" / "formats.md").read_text() == formats.page()


def test_every_field_of_what_judging_writes_is_described():
    for kind in (ProblemVerdict, Score, Share, Responses, Settings, Generation, Sample):
        fields = {field.name for field in contracts.fields(kind).values()}
        assert fields <= set(formats.attribute_docs(kind)), kind


def test_a_verdict_is_read_as_it_was_written(tmp_path):
    lines = [
        {"task": "t", "document": "a", "prompt_sha256": "0", "verdict": "failed", "detail": "",
         "samples": ["failed", "passed"], "second": "passed", "strict": "error", "digits": True},
        {"task": "t", "document": "b", "prompt_sha256": "1", "verdict": "scored", "bits": 1.5, "bytes": 3},
    ]  # fmt: skip
    path = tmp_path / "verdicts.jsonl"
    text = "".join(json.dumps(line, sort_keys=True) + "\n" for line in lines)
    path.write_text(text)
    found = list(read_verdicts(tmp_path / "scores.json"))
    assert found[0].samples == ("failed", "passed") and found[0].notes == {"strict": "error", "digits": True}  # fmt: skip
    assert (found[1].name, found[1].bits, found[1].bytes) == (("t", "b"), 1.5, 3)
    contracts.write_lines(path, found)
    assert path.read_text() == text


@pytest.mark.parametrize(
    "line", ["[]", "{}", '{"task": "t", "document": 1, "verdict": "passed"}', "{"]
)
def test_a_damaged_verdict_is_one_line(tmp_path, line):
    (tmp_path / "verdicts.jsonl").write_text(line + "\n")
    with pytest.raises(UserError, match="verdicts.jsonl: line 1: "):
        list(read_verdicts(tmp_path / "scores.json"))

"""Mistakes in the files of a project of one's own: each line names the file that has it, and the key."""

import pytest
from lemur.config import recipe
from lemur.core.errors import UserError
from lemur.dag import run

FILES = {
    "mine.yaml": "extends: smoke\ncorpus: mine\nevaluate: {benchmarks: [{name: bits_per_byte_code}]}\n",
    "corpora/mine.yaml": "extends: smoke\nmore_sources: [{name: notes}]\n",
    "corpora/other.yaml": "extends: mine\n",
    "sources.yaml": "sources:\n  notes: {kind: text, licence: own, format: files, from: {path: texts}}\n",
    "texts/one.txt": "A note.\n",
}


@pytest.mark.parametrize("name, old, new, line", [
    ("sources.yaml", "texts", "''", "{}/sources.yaml: sources.notes.from.path: '' has 0 characters: at least 1"),
    ("sources.yaml", "format: files", "languages: [pyhton]", "notes: languages: 'pyhton' is unknown; did you mean 'python'?"),
    ("corpora/mine.yaml", "[{name: notes}]", "[{name: notes}, {name: notes}]", "{}/corpora/mine.yaml: more_sources.1: 'notes' stands twice"),
    ("corpora/mine.yaml", "notes", "nots", "{}/corpora/mine.yaml: sources: no source 'nots' in config/sources.yaml or {}/sources.yaml; did you mean 'notes'?"),
    ("corpora/mine.yaml", "extends: smoke", "extends: smok", "{}/corpora/mine.yaml: extends: no corpus 'smok' in config/corpora or {}; did you mean 'smoke'?"),
    ("corpora/mine.yaml", "extends: smoke", "extends: mine", "{}/corpora/mine.yaml: extends: 'mine' leads back to itself"),
    ("corpora/mine.yaml", "extends: smoke", "extends: other", "{}/corpora/other.yaml: extends: 'mine' leads back to itself"),
    ("mine.yaml", "corpus: mine", "corpus: mine\nbase: ../nomodel", "{}/mine.yaml: base: '../nomodel' is no model in config/models.yaml or {}, no folder"),
    ("mine.yaml", "corpus: mine", "corpus: mine\nmixture: {weights: {text: {nots: 1}}}", "{}/mine.yaml: mixture.weights.text.nots: not a text source of corpus 'mine'; did you mean 'notes'?"),
])  # fmt: skip
def test_a_mistake_is_named_where_it_stands(tmp_path, monkeypatch, name, old, new, line):
    for path, text in FILES.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text.replace(old, new, 1) if path == name else text)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as left:
        run.resolve(*run.read_config({}, [f"recipe={tmp_path}/mine.yaml"]))
    said = str(left.value.code)  # Python prints it and leaves with 1
    assert said.startswith("error: ") and "\n" not in said
    assert line.replace("{}", str(tmp_path)) in said


def test_an_entry_of_a_list_that_is_none_has_the_names_that_are():
    for key in ("evaluate.benchmarks.humanevall.limit", "evaluate.benchmarks.humanevall"):
        with pytest.raises(UserError, match="did you mean 'humaneval'. .allowed: bits_per_byte"):
            recipe.resolve("smoke", {key: 3})

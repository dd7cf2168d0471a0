"""MultiPL-E: programs of twelve languages compiled and run in the sandbox, fetched from a hub."""

import dataclasses
import re

import pytest
from answered import catalogue, fetched, parquet, scored
from lemur.core.errors import UserError
from lemur.core.provenance import ROOT
from lemur.evaluation.benchmarks.multipl_e import ends, languages, trial
from lemur.evaluation.benchmarks.multipl_e.judge import LanguageJudge, strict
from lemur.evaluation.items import Item, LoggedSample
from lemur.evaluation.tasks import Bench
from lemur.sandbox.policy import Limits
from lemur.sandbox.steps import secret_word
from made_early import EARLY, PRINTS
from made_languages import PROBLEMS, rows
from tiny_benchmarks import listing

QUICK = ("sh", "js", "php", "rb", "pl", "lua", "r")
EVERY = [
    pytest.param(problem, marks=() if problem in QUICK else pytest.mark.long)
    for problem in PROBLEMS
]


def folder_of(language):
    return {"go_test.go": "go"}.get(language, language)


def tables(chosen=tuple(PROBLEMS)):
    """Files of the hub's data set."""
    made = {}
    for language in chosen:
        prompt, _, _, tests, stops = PROBLEMS[language]
        path = f"humaneval-{folder_of(language)}/test-00000-of-00001.parquet"
        made[path] = parquet(rows(language, prompt, tests, stops))
    return made


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    return fetched("multipl_e", tables(), tmp_path_factory.mktemp("hub"))


def test_every_language_of_the_issue_has_a_judge_and_a_file():
    named = {"Bash", "JavaScript", "TypeScript", "PHP", "Ruby", "Perl", "Lua", "R", "C++", "Java",
             "Go", "Rust"}  # fmt: skip
    assert {language.name for language in languages.LANGUAGES.values()} == named
    files = catalogue("multipl_e")["data"]["from"]["files"]
    assert files == [f"humaneval-{folder_of(name)}/*.parquet" for name in languages.LANGUAGES]


def test_what_is_installed_for_the_tests_is_what_a_language_asks_for():
    """workflow/system-packages names each package that a missing toolchain's message names."""
    script = (ROOT / "workflow" / "system-packages").read_text()
    always = {"bash", "perl"}  # of every Debian
    for language in languages.LANGUAGES.values():
        for package in set(language.packages.split()) - always:
            assert re.search(rf"[ (]{re.escape(package)}[\")]", script), package


def judged(sandbox, language, answer, seconds=5):
    if lacking := languages.missing(language):
        pytest.skip(lacking)
    prompt, *_, tests, _ = PROBLEMS[language]
    job = languages.steps(language, prompt.rstrip() + answer, tests)
    return job.run(sandbox, Limits(cpu_seconds=seconds, wall_seconds=6 * seconds))


@pytest.mark.parametrize("language", EVERY)
def test_right_programs_pass_and_wrong_ones_do_not(sandbox, language):
    _, right, wrong, _, _ = PROBLEMS[language]
    found = judged(sandbox, language, right)
    assert (found.verdict, found.ended) == ("passed", True), found
    assert judged(sandbox, language, wrong).verdict == "failed"
    broken = judged(sandbox, language, "\n@@@ syntax(")
    compiled = len(languages.LANGUAGES[language].commands) > 1
    assert broken.verdict == ("error" if compiled else "failed"), broken
    assert not compiled or broken.detail.startswith("does not compile: ")


@pytest.mark.parametrize("language", EVERY)
def test_who_leaves_early_passes_by_status_alone(sandbox, language):
    """Leaves before the tests, or ends with 0 although they failed; both verdicts are told apart."""
    for answer in EARLY[language]:
        found = judged(sandbox, language, answer)
        assert (found.verdict, found.ended, strict(found)) == ("passed", False, "error")


@pytest.mark.parametrize(
    "language", [one for one in EVERY if (getattr(one, "values", [one])[0]) in PRINTS]
)
def test_the_word_is_in_nothing_that_a_program_can_print(sandbox, language):
    found = judged(sandbox, language, PRINTS[language])
    assert (found.verdict, strict(found)) == ("passed", "error"), found


def test_a_program_written_against_the_judge_is_not_stopped(sandbox):
    """The stated limit: test and program share a process, whose functions the program may change."""
    answer = "\n  return 0;\n}\nrequire('node:assert').deepEqual = () => {};"
    assert strict(judged(sandbox, "js", answer)) == "passed"


@pytest.mark.parametrize("language", PROBLEMS)
def test_only_tests_of_the_known_form_are_made_to_print(language):
    *_, tests, _ = PROBLEMS[language]
    one, two = secret_word()
    made = ends.printing(language, tests, (one, two))
    assert one in made and two in made and one + two not in made
    assert ends.printing(language, tests + "\nmore(", (one, two)) is None
    assert languages.steps(language, "", tests + "\nmore(").word is None
    assert secret_word() != (one, two)
    assert ends.printing("cobol", tests, (one, two)) is None


def test_the_word_is_in_no_detail(sandbox):
    """What a run says is the same in every run: the source dumped on failure is."""
    dump = "\n    echo 0\n}\ncat << 'NOWHERE'; exit 3"
    first, second = judged(sandbox, "sh", dump), judged(sandbox, "sh", dump)
    assert first.verdict == "failed" and "builtin printf" in first.detail
    assert first.detail == second.detail


@pytest.mark.parametrize("language", EVERY)
def test_a_toolchain_is_tried_before_it_is_believed(sandbox, language, monkeypatch):
    if lacking := languages.missing(language):
        pytest.skip(lacking)
    trial.broken.cache_clear()
    assert trial.broken(sandbox, language) is None
    one = languages.LANGUAGES[language]
    wrong = (*one.commands[:-1], ("false", one.file))
    monkeypatch.setitem(languages.LANGUAGES, language, dataclasses.replace(one, commands=wrong))
    trial.broken.cache_clear()
    told = trial.broken(sandbox, language)
    trial.broken.cache_clear()
    assert told.startswith(f"toolchain: {one.name} does not work here: "), told


def test_both_scores_and_where_they_differ(spec, manifest, tmp_path, sandbox, monkeypatch):
    """One right, one that leaves early; in Lua tests of another form, whose end is not checked."""
    for language in ("sh", "lua"):
        if lacking := languages.missing(language):
            pytest.skip(lacking)
    real = languages.missing
    monkeypatch.setattr(
        languages, "missing", lambda one: real(one) if one in ("sh", "lua") else "toolchain: gone"
    )
    known = ends.printing
    monkeypatch.setattr(
        ends, "printing", lambda name, *more: None if name == "lua" else known(name, *more)
    )
    monkeypatch.setattr(trial, "broken", lambda sandbox, language: None)

    def respond(document):
        _, right, *_ = PROBLEMS[document["language"]]
        return EARLY[document["language"]][0] if document["name"].endswith("1") else right

    made, items, _ = scored(spec("multipl_e"), manifest, tmp_path / "out", respond)
    assert made["value"] == 1.0 and made["n_judged"] == 4
    assert made["beside"]["strict"] | {"interval": 0} == {
        "value": 0.5, "n": 2, "interval": 0, "differs_on": 1, "not_checked": 2,
    }  # fmt: skip
    assert made["languages"]["sh"]["value"] == 1.0
    assert made["languages"]["sh"]["strict"]["value"] == 0.5
    assert "strict" not in made["languages"]["lua"]
    strict = [item.get("strict") for item in items if item["verdict"] != "not judged"]
    assert sorted(strict) == ["error", "not checked", "not checked", "passed"]
    assert all("strict" not in item for item in items if item["verdict"] == "not judged")


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ("\n    while :; do :; done", "timeout"),
        ("\n    sleep 100", "timeout"),
        (
            "\n    (sleep 100 > /dev/null 2>&1 &) ; echo $(($1 + $2))",
            "passed",
        ),  # what stays behind is ended
        ("\n    yes | head -c 30000000; exit 1", "failed"),  # much output does no harm
        ("\n    kill -9 $$", "timeout"),  # as a processor limit ends a program
        ("\n    echo x > /usr/bin/x && echo 3", "failed"),
        ("\n    cat /etc/passwd /root/* /proc/1/environ || exit 1", "failed"),
        (  # a verdict forged on every descriptor
            '\n    for n in {3..511}; do printf \'{"step": 0, "status": 0, "tail": "", "over": false,'
            ' "ended": true}\' >&$n; done 2> /dev/null; exit 1',
            "failed",
        ),
    ],
)
def test_programs_that_misbehave(sandbox, answer, verdict):
    found = judged(sandbox, "sh", answer, seconds=1)
    assert found.verdict == verdict, found


# What programs of the real data set use beyond the core of their language.
STANDARD = {
    "js": "\n  require('crypto').createHash('md5').update('a').digest('hex');\n  return a + b;\n}",
    "php": "\n    if (!ctype_digit('12') || iconv('UTF-8', 'ASCII', 'a') !== 'a') return 0;\n"
    "    return count(token_get_all('<?php 1;')) > 1 && md5('a') ? $a + $b : 0;\n}",
    "rb": "\n  require 'set'\n  require 'prime'\n  require 'digest'\n  Set.new(Prime.first(2)).sum - 5 + a + b\nend",
    "pl": "\n    use List::Util qw(sum); use POSIX qw(floor); use Digest::MD5 qw(md5_hex);\n"
    "    return floor(sum($a, $b)) + length(md5_hex('a')) - 32;\n}",
    "sh": "\n    echo \"$1 $2\" | tr ' ' '\\n' | sort -n | awk '{s += $1} END {print s}'",
    "r": "\n    stats::median(c(a, b)) * 2 + nchar(gsub('[a-z]', '', 'a', perl = TRUE))\n}",
}


@pytest.mark.parametrize("language", STANDARD)
def test_a_language_has_what_its_package_holds(sandbox, language):
    found = judged(sandbox, language, STANDARD[language])
    assert (found.verdict, found.ended) == ("passed", True), found


@pytest.mark.parametrize(
    "answer",
    [
        "\n    while read -r n; do echo $((n + $2)); done < <(echo $1)",
        "\n    paste -d+ <(echo $1) <(echo $2) | tr -d x",
        "\n    echo no > /dev/stderr || exit 1; echo $(($1 + $2))",
    ],
)
def test_bash_that_needs_proc_is_told(sandbox, answer):
    """There is no /proc inside, so no /dev/fd. It counts as failed: else a program that only writes
    this message would leave the score."""
    found = judged(sandbox, "sh", answer)
    assert found.verdict in ("failed", "error") and found.detail == languages.NO_DESCRIPTORS, found
    feigned = judged(sandbox, "sh", "\n    echo '/dev/fd/63: No such file or directory'; exit 1")
    assert feigned.verdict in ("failed", "error")
    sample = LoggedSample(0, {"language": "sh"}, "", (), "", [answer], "none", "", {})
    item = Item("sh", sample, verdict="failed", detail=found.detail)
    assert LanguageJudge(None).summary([item]).details["failed_without_proc"] == 1


def test_both_forms_of_the_tests_of_r_are_known():
    tests = "test_humaneval <- function() {\ncandidate <- add\n    if(!identical(candidate(1, 2), 3)){quit('no', 1)}\n}\ntest_humaneval()"
    assert ends.printing("r", tests, secret_word()) is not None


def test_a_program_that_takes_too_much_memory(sandbox):
    # Ten seconds of processor time: a busy machine takes over one to fill the memory.
    answer = "\n    perl -e '$a = \"x\" x 1_500_000_000; sleep 5'"
    found = judged(sandbox, "sh", answer, seconds=10)
    assert found.verdict == "out of memory", found


@pytest.mark.long
def test_programs_find_no_network(sandbox):
    answer = "\n    exec 3<>/dev/tcp/192.0.2.1/80 && echo 3"
    assert judged(sandbox, "sh", answer).verdict == "failed"
    code = (
        "\n  require('net').connect(80, '192.0.2.1').on('error', e => {});\n"
        "  throw new Error('no answer');\n}"
    )
    assert judged(sandbox, "js", code).verdict == "failed"


def test_fetched_from_a_hub_asked_and_judged(spec, manifest, tmp_path, sandbox, monkeypatch):
    """All the way of the catalogue's entry, with two languages judged and one whose toolchain is
    made to be missing."""
    for language in ("sh", "lua"):
        if lacking := languages.missing(language):
            pytest.skip(lacking)
    real = languages.missing
    gone = "toolchain: gone: apt-get install it"
    monkeypatch.setattr(
        languages, "missing", lambda one: real(one) if one in ("sh", "lua") else gone
    )

    def respond(document):
        _, right, wrong, _, _ = PROBLEMS[document["language"]]
        return wrong if document["name"].endswith("1") else right

    made, items, asked = scored(spec("multipl_e"), manifest, tmp_path / "out", respond)
    assert made["n"] == made["of"] == 24 and made["n_judged"] == 4
    assert made["value"] == 0.5 and made["mean_of_languages"] == 0.5
    assert made["not_judged"] == {gone: 20}
    assert {name: one["n"] for name, one in made["languages"].items()} == {"lua": 2, "sh": 2}
    assert {item["verdict"] for item in items} == {"passed", "failed", "not judged"}
    assert len(asked) == 24


def test_prompts_and_stop_texts(spec, manifest):
    bench = Bench(spec("multipl_e"), manifest)
    assert len(bench.tasks) == 12
    task = bench.tasks["multipl_e_lua"]
    assert task.config.generation_kwargs["until"] == PROBLEMS["lua"][4]
    assert task.doc_to_text(task.eval_docs[0]) == PROBLEMS["lua"][0].rstrip()
    chat = Bench(spec("multipl_e", format="chatml"), manifest).tasks["multipl_e_go_test.go"]
    assert chat.config.generation_kwargs["until"] == [*PROBLEMS["go_test.go"][4], "\n```"]


def test_nothing_judged_is_no_score(spec, manifest, tmp_path, sandbox, monkeypatch):
    monkeypatch.setattr(languages, "missing", lambda one: "toolchain: none here")
    made, _, _ = scored(spec("multipl_e"), manifest, tmp_path / "out", lambda one: "")
    assert made["value"] is None and made["judged"] is False
    assert made["reason"] == "24 x toolchain: none here"


@pytest.mark.parametrize(
    ("commands", "files", "lacks"),
    [
        (False, True, "javac, java"),
        (True, False, "/usr/share/java/javatuples.jar"),
        (False, False, "javac, java, /usr/share/java/javatuples.jar"),
        (True, True, None),
    ],
)
def test_what_is_missing_is_named(monkeypatch, commands, files, lacks):
    """Whatever this machine has: commands and files of a library are told apart."""
    monkeypatch.setattr(languages, "_which", lambda name: name if commands else None)
    monkeypatch.setattr(languages.glob, "glob", lambda pattern: [pattern] if files else [])
    install = ": apt-get install default-jdk-headless libjavatuples-java"
    told = languages.missing.__wrapped__("java")
    assert told == (lacks and f"toolchain: Java lacks {lacks}{install}")


def test_a_language_without_a_judge_is_named():
    assert "no judge for language 'cobol'" in languages.missing("cobol")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tests": None}, "'tests' must be str, it is NoneType"),
        ({"stop_tokens": [1]}, "'stop_tokens' must be a list of texts"),
    ],
)
def test_problems_of_another_shape_are_one_line(spec, tmp_path, change, words):
    prompt, _, _, tests, stops = PROBLEMS["lua"]
    made = [row | change for row in rows("lua", prompt, tests, stops)]
    (tmp_path / "a.parquet").write_bytes(parquet(made))
    listing(tmp_path, "a.parquet")
    with pytest.raises(UserError) as caught:
        Bench(spec("multipl_e"), tmp_path / "m.json")
    assert words in str(caught.value) and "\n" not in str(caught.value)
    (tmp_path / "a.parquet").write_bytes(b"no table")
    listing(tmp_path, "a.parquet")
    with pytest.raises(UserError, match="not a whole parquet file"):
        Bench(spec("multipl_e"), tmp_path / "m.json")

"""The radar's 12 labels: counted ones come out of outcomes, and a print that differs is shown."""

import pytest
from lemur.agents import axes, outcomes, rates
from lemur.agents.rates import Rate
from lemur.core.errors import UserError
from lemur.core.provenance import ROOT
from lemur.figures import agent, reported

PAPER = ROOT / "reports" / "paper"


def inputs():
    return (
        rates.rates(outcomes.read(PAPER / "mint_outcomes.tsv.gz")),
        reported.table(PAPER / "reported.csv", "agent-radar"),
        agent.parts(PAPER / "reported.csv"),
    )


def test_the_numbers_of_the_paper_come_out_of_the_outcome_table():
    made = agent.read_labels(PAPER / "reported.csv", PAPER / "mint_outcomes.tsv.gz")
    shown = {(x.axis, x.model): f"{x.rate.percent:.2f}" for x in made if x.rate}
    assert shown == {
        ("Tool augmentation", "Lemur-70B-Chat"): "31.65",
        ("Tool augmentation", "gpt-3.5-turbo"): "36.71",
        ("NL feedback on reasoning", "Lemur-70B-Chat"): "32.59",
        ("NL feedback on reasoning", "gpt-3.5-turbo"): "50.32",
        ("NL feedback on coding", "Lemur-70B-Chat"): "44.85",
        ("NL feedback on coding", "gpt-3.5-turbo"): "38.97",
        ("Exploring physical environment", "Lemur-70B-Chat"): "59.70",
        ("Exploring physical environment", "gpt-3.5-turbo"): "41.79",
    }
    marks = [label.mark for label in made]
    assert [marks.count(m) for m in (axes.COUNTED, axes.TRANSCRIBED, axes.INFERRED)] == [8, 2, 2]
    assert [(x.axis, x.model) for x in made if x.differs] == [
        ("NL feedback on reasoning", "Lemur-70B-Chat")
    ]


def test_a_recount_moves_the_label_and_nothing_else_does():
    counted, printed, parts = inputs()
    key = ("lemur-70b-chat-v1", "none", "reasoning", "all")
    before = axes.labels(counted, printed, parts)
    after = axes.labels({**counted, key: Rate(1, 4)}, printed, parts)
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert [(label.axis, label.value, label.differs) for label in changed] == [
        ("Tool augmentation", 25.0, True)
    ]


def test_a_transcribed_label_that_is_not_the_mean_of_its_parts_is_refused():
    counted, printed, parts = inputs()
    with pytest.raises(UserError, match="not the mean of InterCode-CTF and WebArena"):
        axes.labels(counted, printed, {**parts, ("gpt-3.5-turbo", "WebArena"): 9.0})
    fewer = {key: value for key, value in parts.items() if key[1] != "RoboCodeGen"}
    with pytest.raises(UserError, match="not the mean of humaneval and mbpp and RoboCodeGen"):
        axes.labels(counted, printed, fewer)
    other = axes.labels(counted, printed, {**parts, ("Lemur-70B-Chat", "RoboCodeGen"): 75.5})
    assert "49.61, which is not what is printed" in next(
        one.note for one in other if (one.axis, one.model) == ("Self-debugging", "Lemur-70B-Chat")
    )


@pytest.mark.parametrize("part, message", [(0, "no episodes of"), (1, "no 'Tool augmentation'")])
def test_a_missing_number_is_named(part, message):
    given = list(inputs())
    given[part] = {}
    with pytest.raises(UserError, match=message):
        axes.labels(*given)


def test_notes_say_what_count_the_print_would_be():
    notes = {(x.axis, x.model): x.note for x in axes.labels(*inputs())}
    differing = notes["NL feedback on reasoning", "Lemur-70B-Chat"]
    assert differing == "103 of 316 episodes; the paper's 35.76 would be 113 of 316"
    coding = notes["NL feedback on coding", "Lemur-70B-Chat"]
    assert coding == "61 of 136 episodes; the paper prints 44.86, which no count of 136 gives"


def test_self_debugging_has_the_arithmetic_of_five_parts():
    notes = {x.model: x.note for x in axes.labels(*inputs()) if x.axis == "Self-debugging"}
    assert notes["Lemur-70B-Chat"] == (
        "as printed; mean of humaneval 46.67 (counted, 21 of 45), mbpp 17.58 (counted, 16 of 91), "
        "RoboCodeGen 75.68, InterCode-SQL 73.79, InterCode-Bash 34.5: consistent, not published as its parts"
    )


def test_wilson_interval_against_published_values():
    # Newcombe 1998, table I, method 3 (score): 81/263, 15/148, 0/20, 1/29.
    for solved, total, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        assert Rate(solved, total).interval == pytest.approx((100 * low, 100 * high), abs=0.006)

import random
import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lemur.mixture.benchmark_texts import Problem
from lemur.mixture.decontaminate import WORD, Index

PROSE = (
    "Natalia sold clips to 48 of her friends in April and then she sold half as many clips in May "
    "so how many clips did Natalia sell altogether"
)
PROMPT = (
    "def has_close_elements(numbers: List[float], threshold: float) -> bool:\n"
    '    """Check if in given list of numbers are any two numbers closer than threshold"""\n'
)
PROBLEMS = [
    Problem("gsm8k", "g/1", (PROSE,), False),
    Problem("humaneval", "HumanEval/0", (PROMPT,), True),
]


def found(text):
    return [(match.benchmark, match.item) for match in Index(PROBLEMS, 13, 10).matches(text)]


def test_thirteen_words_of_prose_match_and_twelve_do_not():
    words = PROSE.split()
    assert found("x " + " ".join(words[4:17]) + " y") == [("gsm8k", "g/1")]
    assert found("x " + " ".join(words[4:16]) + " y") == []


def test_ten_words_of_a_code_prompt_match_and_nine_do_not():
    words = WORD.findall(PROMPT)
    assert found(" ".join(words[8:18])) == [("humaneval", "HumanEval/0")]
    assert found(" ".join(words[8:17])) == []


def test_case_spaces_and_punctuation_do_not_hide_a_copy():
    assert found(PROSE.upper().replace(" ", ",\n\t ")) == [("gsm8k", "g/1")]


def test_a_script_without_blanks_is_matched_by_characters():
    """Else a line of Chinese is one word, and only thirteen equal lines would be found."""
    asked = "小明有四十八个苹果他给了朋友一半然后又买了同样多的苹果请问小明现在一共有多少个苹果"
    index = Index([Problem("b", "1", (asked,), False)], 13, 10)
    copy = f"题目：{asked[5:18]}。"
    assert [match.item for match in index.matches(copy)] == ["1"]
    assert index.suspects([asked[5:17], copy, "今天天气很好我们一起去公园散步看花"]) == [1]


def test_signs_of_other_scripts_and_emoji_are_no_words():
    """They stand between words, in a problem and in a document alike."""
    asked = f"\N{GRINNING FACE}（{PROSE}）。\u0e31 \N{FULLWIDTH COMMA}"
    index = Index([Problem("b", "1", (asked,), False)], 13, 10)
    for copy in (PROSE, asked, PROSE.replace(" ", "\u3000\N{GRINNING FACE} ")):
        assert [match.item for match in index.matches(copy)] == ["1"]
        assert index.suspects([copy]) == [0]


def test_numbers_and_single_letters_match_nothing():
    listed = Problem(
        "b", "1", ("f(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12) a b c d e f g h i j",), True
    )
    index = Index([listed], 13, 10)
    assert list(index.matches("1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 a b c d e f g h i j")) == []


def test_what_matched_is_said_and_each_problem_is_named_once():
    (match,) = Index(PROBLEMS, 13, 10).matches(PROSE + "\n" + PROSE)
    assert match.matched == " ".join(PROSE.lower().split()[:13])


WORDS = st.sampled_from(["apple", "river", "stone", "7", "x", "Count", "list", "of"])


@given(
    problems=st.lists(st.tuples(st.lists(WORDS, max_size=8), st.booleans()), max_size=5),
    text=st.lists(WORDS, max_size=40),
)
def test_equal_to_the_plain_definition(problems, text):
    """Windows of 4 (prose) and 3 (code) words, compared as strings, one by one."""
    made = [
        Problem("b", str(k), (" ".join(words),), code) for k, (words, code) in enumerate(problems)
    ]
    text = [word.lower() for word in text]
    expected = set()
    for problem in made:
        n = 3 if problem.code else 4
        words = problem.statements[0].lower().split()
        for start in range(len(words) - n + 1):
            run = words[start : start + n]
            telling = {word for word in run if len(word) > 1 and not word.isdigit()}
            if 2 * len(telling) >= n and any(
                text[k : k + n] == run for k in range(len(text) - n + 1)
            ):
                expected.add(problem.item)
    matches = list(Index(made, 4, 3).matches(" ".join(text)))
    assert sorted(match.item for match in matches) == sorted(expected)


@pytest.mark.long
def test_thirty_megabytes_take_less_than_twenty_seconds():
    """On an idle core it is two seconds; the bound is the contract's, far from the noise."""
    rng = random.Random(0)
    words = ["".join(rng.choices(string.ascii_lowercase, k=rng.randint(2, 9))) for _ in range(5000)]
    text = " ".join(rng.choices(words, k=170_000))
    index = Index(
        [Problem("b", str(k), (" ".join(rng.choices(words, k=60)),), False) for k in range(1500)],
        13,
        10,
    )
    began = time.process_time()
    for _ in range(30_000_000 // len(text) + 1):
        assert not list(index.matches(text))
    assert time.process_time() - began < 20


MIXED = st.lists(
    st.sampled_from(
        [*PROSE.split(), "x", "ÉCLAIR", "\u2019", "—", "İ", "ſ", "\n", "²", "_", "\u3000"]
    ),
    max_size=60,
).map(" ".join)


@given(st.lists(st.one_of(MIXED, st.text(max_size=80)), max_size=6))
def test_every_text_that_matches_is_a_suspect(texts):
    problems = [Problem("b", "1", (PROSE + " éclair ſ i̇ ² _",), False)]
    index = Index(problems, 3, 3)
    assert {k for k, text in enumerate(texts) if list(index.matches(text))} <= set(
        index.suspects(texts)
    )


def test_hardly_any_other_text_is_a_suspect():
    rng = random.Random(1)
    many = [" ".join(rng.choices(string.ascii_lowercase, k=40)) + f" {k}" for k in range(400)]
    index = Index(
        [Problem("b", str(k), (text + PROSE,), False) for k, text in enumerate(many)], 13, 10
    )
    texts = [" ".join(rng.choices(PROSE.split(), k=2_000)) for _ in range(50)]
    assert index.suspects([*texts, PROSE]) == [50]

"""Whether a proposed solution is right: as MINT counts (``paper``), and without its faults (``strict``).

Faults that ``paper`` keeps (https://github.com/xingyaoww/mint-bench, ``tasks/reasoning.py``): a text
passes that holds the reference anywhere ("5" in "15"); of a multiple choice the letter is looked for
at "a" alone; numbers pass within 5 % and never where the reference is negative; TheoremQA's expressions do not know
``math``, and of its options the letter counts alone (as recorded episodes were judged). ``strict`` wants
the reference itself: the same number within 1 part in 10,000 (TheoremQA: its own 4 %), the same
text without case, articles and punctuation, the letter of the right option or its text.
"""

import re
import string
from collections.abc import Callable
from dataclasses import dataclass

from lemur.agents.environment import Task
from lemur.agents.environments.mint import numbers
from lemur.agents.environments.mint.tasks import CODE, SETS
from lemur.evaluation.benchmarks.mbpp.judge import used
from lemur.sandbox.judge import Job, judge
from lemur.sandbox.policy import Limits
from lemur.sandbox.types import Sandbox

# Ten seconds, as in the original, of processor time: what passes does not depend on how busy the
# machine is, except for what sleeps.
LIMITS = Limits(wall_seconds=40.0, cpu_seconds=10)
Evaluate = Callable[[str], str]  # runs a cell in a session of its own, gives what it printed


@dataclass(frozen=True)
class Correct:
    """Whether a proposal is right by both rules; ``why`` where they differ."""

    paper: bool
    strict: bool
    why: str = ""


def check(task: Task, proposal: str, sandbox: Sandbox, evaluate: Evaluate) -> Correct:
    """Judge one proposal. Code and expressions run in the sandbox; never raises for what they do."""
    name = task.data["set"]
    if SETS[name] == CODE:
        passed = _passes(task, proposal, sandbox)
        return Correct(passed, passed)
    if name == "theoremqa":
        return _theorem(task, proposal, evaluate)
    if name == "mmlu":
        return _choice(task, proposal)
    reference = str(task.data["reference"]).strip().lower()
    answer = proposal.lower().strip()
    paper, strict = _reasoning(reference, answer), _same(reference, answer)
    return Correct(paper, strict, _difference(paper, strict, reference, answer))


def _difference(paper: bool, strict: bool, reference: str, answer: str) -> str:
    if paper == strict:
        return ""
    if strict:
        return "the original's rule passes over the right answer"
    if _number(reference) is not None and _number(answer) is not None:
        return "within 5 % of the reference, not equal to it"
    return "the reference stands somewhere in the answer"


def _reasoning(reference: str, answer: str) -> bool:
    """The original's when its episodes were recorded: numbers within 5 % of a positive reference (the
    bound is negative where the reference is), else the reference anywhere in the answer."""
    try:
        return abs(float(reference) - float(answer)) <= 0.05 * float(reference)
    except ValueError:
        return reference in answer


def _number(text: str) -> float | None:
    """A number as people write it: with a dollar, commas, a unit of per cent."""
    found = re.fullmatch(r"\$?\s*([-+]?[\d,]*\.?\d+(?:e[-+]?\d+)?)\s*%?\.?", text.strip())
    try:
        return float(found.group(1).replace(",", "")) if found else None
    except ValueError:
        return None


def _same(reference: str, answer: str) -> bool:
    """The reference itself."""
    wanted, given = _number(reference), _number(answer)
    if wanted is not None and given is not None:
        return abs(wanted - given) <= 1e-4 * abs(wanted)
    return _words(reference) == _words(answer)


def _words(text: str) -> list[str]:
    """Words without case, articles and punctuation (as SQuAD's evaluation)."""
    kept = "".join(" " if letter in string.punctuation else letter for letter in text.lower())
    return [word for word in kept.split() if word not in ("a", "an", "the")]


def options(prompt: str) -> dict[str, str]:
    """The options of a multiple choice by letter, in lower case, as the original reads them."""
    found = {}
    for option in prompt.split("Options: ")[-1].split(" , "):
        parts = option.strip("[]' ").split(")")
        if len(parts) > 1:
            text = parts[1].lower().strip(".")
            for asked in (". Which option is correct?", ". Which one is correct?"):
                text = text.replace(asked, "")
            found[parts[0].lower().strip()] = text.strip()
    return found


def _choice(task: Task, proposal: str) -> Correct:
    reference = str(task.data["reference"]).strip().lower()
    known = options(task.data["asked"])
    answer = proposal.lower().strip()
    paper = _original_choice(reference, known, answer)
    letter = re.match(r"\(?([a-z])(?:\s*\)|\.|:|$)", answer)
    if letter and letter.group(1) in known:
        strict = letter.group(1) == reference
    else:
        strict = _same(known.get(reference, reference), answer)
    why = "" if paper == strict else "the option is read from the letter or from the whole text"
    return Correct(paper, strict, why)


def _original_choice(reference: str, known: dict[str, str], answer: str) -> bool:
    """The original's, whose search for a letter ends at "a"."""

    def alike(wanted: str, given: str) -> bool:
        if wanted.isdigit() and given.isdigit():
            return abs(float(wanted) - float(given)) <= 0.05 * float(wanted)
        return wanted in given

    answer = "a" if "a)" in answer or "a )" in answer else answer
    if alike(reference, answer):
        return True
    if reference not in known:
        return False
    right, wrong = known[reference], list(known.values())
    for option in wrong:  # as there, from the list that is gone through
        if option in right:
            wrong.remove(option)
    if any(alike(option, answer) for option in wrong):
        return False
    return alike(right, answer)


def _theorem(task: Task, proposal: str, evaluate: Evaluate) -> Correct:
    reference, kind = task.data["reference"], str(task.data["answer_type"])
    found = []
    for more in ("", numbers.MORE):
        expression = numbers.expression(proposal, anywhere=bool(more))
        value = numbers.literal(expression)
        if value is None:
            cell = numbers.EVALUATE.format(expression=expression, more=more)
            value = numbers.read_value(evaluate(cell))
        found.append(numbers.equal(value, reference, kind))
        if found[0]:
            break
    paper, strict = found[0], found[-1]
    option = kind in ("option", "Option")
    why = "the letter of an option counts alone" if option else "its expression needs math"
    return Correct(paper, strict, "" if paper == strict else why)


def _passes(task: Task, program: str, sandbox: Sandbox) -> bool:
    """Whether a program passes the problem's own tests."""
    test, entry = task.data["reference"], task.data["entry"]
    names = (entry,) if entry else tuple(used((test,), task.data["code"]))
    # What else the head defines (``encode_shift``) the test takes from there.
    head = task.data["asked"] if entry else ""
    return judge(sandbox, Job(program, (test,), names, head), LIMITS).verdict == "passed"

"""Answers that only a model can judge: what it is asked, and what its answer means."""

from collections.abc import Callable, Mapping
from typing import Any

from lemur.agents.environment import Message
from lemur.agents.environments.webarena.matching import exact
from lemur.chat.chatml import as_text
from lemur.config.address import checked_url
from lemur.core.errors import UserError, nearest
from lemur.evaluation.backends.completions import CompletionsClient, Refused

Ask = Callable[[list[Message]], str]
KEYS = ("model", "server")
TOKENS = 768  # of a verdict, as in the original
SAME = """Grade an answer to a question. It may be worded in another way than the reference: what counts is whether it means the same.
question: {}
reference answer: {}
("N/A" anywhere means that it cannot be achieved)
answer: {}
Conclude with one of: correct, incorrect, partially correct."""
REASON = """A task cannot be done for a known reason. Somebody tried it and reported. Say whether the report gives that reason, if only implicitly.
task: {}
reason: {}
report: {}
Answer "same" or "different"."""


class Unjudged(Exception):
    """The judge model does not take a question."""


def open_judge(given: Mapping[str, str] | None) -> Ask | None:
    """A model behind a server, ``{model: served-name, server: address}``; None without one.

    Raises:
        UserError: another key, or an address that is none.
    """
    if given is None:
        return None
    for key in given:
        if key not in KEYS:
            raise UserError(f"webarena: judge: '{key}'{nearest(key, KEYS)}")
    if set(given) != set(KEYS):
        raise UserError("webarena: judge: needs 'model' (a served name) and 'server' (its address)")
    url = checked_url(given["server"], "webarena: judge.server")
    client = CompletionsClient(url, given["model"], "webarena's judge")

    def ask(messages: list[Message]) -> str:
        try:
            return client.complete(as_text(messages, True), TOKENS, 0.0, 1.0, 0, ())[0]
        except Refused as refused:
            raise Unjudged(f"the judge model refuses: {refused}"[:300]) from None

    return ask


def means(task: Mapping[str, Any], answer: str, ask: Ask) -> bool:
    """Whether an answer is right by the references that a model judges. An impossible task is solved
    by "N/A", or by a report that gives the reason why."""
    evaluation = task["eval"]
    wanted = evaluation["reference_answers"]["fuzzy_match"]
    if wanted == "N/A":
        if exact(wanted, answer):
            return True
        note = evaluation.get("string_note", "")
        said = ask([{"role": "user", "content": REASON.format(task["intent"], note, answer)}])
        return "different" not in said.lower() and "same" in said.lower()
    for phrase in [wanted] if isinstance(wanted, str) else wanted:
        said = ask(
            [{"role": "user", "content": SAME.format(task["intent"], phrase, answer)}]
        ).lower()
        if "incorrect" in said or "partially correct" in said or "correct" not in said:
            return False
    return True

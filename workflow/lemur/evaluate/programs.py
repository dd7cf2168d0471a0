"""From a model's answer to the program that is judged, and the test it is judged by."""

import ast
import builtins
import symtable
import warnings
from collections.abc import Callable
from typing import Any

from lemur.evaluate import languages, trial
from lemur.evaluate.ds1000 import DS1000
from lemur.evaluate.skipped import Skipped
from lemur.evaluate.source import Source
from lemur.evaluate.spider.query import Spider
from lemur.sandbox.judge import Job
from lemur.sandbox.probe import probe
from lemur.sandbox.types import Absent


def humaneval(document: dict[str, Any], response: str) -> Job:
    """The function's head and the answer, against the benchmark's ``check``.

    The head is pinned data: what else it defines (``poly``, ``encode_cyclic``) the test takes from
    there and not from the program.
    """
    name = document["entry_point"]
    return Job(
        program=document["prompt"].rstrip() + response,
        preamble=document["prompt"],
        test=(f"{document['test']}\ncheck({name})",),
        remote=(name,),
    )


def mbpp(document: dict[str, Any], response: str) -> Job:
    """The answer with the problem's set-up, against its assertions one by one."""
    tests = tuple(test.strip() for test in document["test_list"])
    program = response.replace("[BEGIN]", "").strip("\n")
    setup = document["test_setup_code"].replace("\r\n", "\n")
    return Job(
        program=f"{program}\n{setup}" if setup else program,
        test=tests,
        remote=tuple(used(tests, document["code"])),
    )


def used(tests: tuple[str, ...], reference: str) -> list[str]:
    """Names that tests take from a program: not what they bind themselves, and not Python's own,
    unless the reference solution defines it (problem 126 is a function called ``sum``)."""
    defined = {
        node.name
        for node in ast.walk(_tree(reference.replace("\r\n", "\n")))
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as in ``_tree``
        tables = [symtable.symtable(test, "<test>", "exec") for test in tests]
    bound = {
        symbol.get_name()
        for table in tables
        for symbol in table.get_symbols()
        if symbol.is_assigned() or symbol.is_imported()
    }
    found = dict.fromkeys(name for table in tables for name in _free(table))
    return [
        name for name in found if name in defined or not (name in bound or hasattr(builtins, name))
    ]


def _free(table: symtable.SymbolTable) -> list[str]:
    """Names that a test's text, or a function or comprehension in it, looks up outside of itself."""
    inside = table.get_type() != "module"
    names = [
        symbol.get_name()
        for symbol in table.get_symbols()
        if symbol.is_referenced() and (symbol.is_global() or not inside)
    ]
    for child in table.get_children():
        names += _free(child)
    return names


def _tree(source: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "\\w" in MBPP's own solutions
        return ast.parse(source)


PROGRAMS = {"mbpp": mbpp}


class HumanEval:
    """Functions as they were answered. Beside the verdict that of the paper's released script, which
    cuts an answer after its last ``return`` (OpenLemur/Lemur, ``xchat/eval/humaneval/run_eval.py``).
    """

    def __init__(self, source: Source):
        del source

    def __call__(self, document: dict[str, Any], response: str) -> Job:
        return humaneval(document, response)

    def second(self, document: dict[str, Any], response: str) -> Job | None:
        """The answer as the paper's script cuts it, where that is another program."""
        cut = to_last_return(response)
        return None if cut.rstrip() == response.rstrip() else humaneval(document, cut)

    def beside(self, pairs: list[tuple[dict[str, Any], str]]) -> dict[str, Any]:
        """The share of first answers that pass so cut, and on how many that differs."""
        items = list({id(item): item for item, _ in pairs}.values())
        for item in items:
            item["paper"] = item.get("second", item["verdict"])
        judged = [one for one in items if one["verdict"] != "not judged"]
        if not judged:
            return {}
        differ = sum((one["paper"] == "passed") != (one["verdict"] == "passed") for one in judged)
        return {"beside": {"paper": {**languages.share(judged, "paper"), "differs_on": differ}}}


def to_last_return(response: str) -> str:
    """The lines up to the last that begins with ``return``; nothing where none does."""
    lines = response.split("\n")
    ends = [number for number, line in enumerate(lines) if line.strip().startswith("return")]
    return "\n".join(lines[: ends[-1] + 1]) if ends else ""


class MultiplE:
    """Programs in many languages; one whose toolchain is missing is left out and named.

    The verdict is that of the original evaluation, the exit status. Beside it the strict one wants
    the test to have come to its end: ``sandbox.steps`` says what that stops.
    """

    def __init__(self, source: Source):
        del source
        self.broken: dict[str, str | None] = {}

    def prepare(self, documents: list[dict[str, Any]]) -> None:
        """Try the toolchains that ``documents`` need."""
        sandbox = probe()
        for name in sorted({document["language"] for document in documents}):
            if not isinstance(sandbox, Absent) and not languages.missing(name):
                self.broken[name] = trial.broken(sandbox, name)

    def __call__(self, document: dict[str, Any], response: str) -> Any:
        name = document["language"]
        if lacking := languages.missing(name) or self.broken.get(name):
            return Skipped(lacking)
        program = document["prompt"].rstrip() + response
        return languages.steps(document["language"], program, document["tests"])

    others = {"strict": languages.strict}
    beside = staticmethod(languages.by_language)


# Judges that need more of a benchmark's data than the problem: made once from its source. One may
# have ``prepare(documents)``, called before any job is made, ``others``, name -> rule that takes
# another verdict on the first answer of each problem from what was seen, ``second(document,
# response)``, a second job of that answer or None, and ``beside(pairs)``, scores beside the main one
# from (item, response) after judging.
PREPARED: dict[str, Callable[[Source], Any]] = {
    "ds1000": DS1000,
    "humaneval": HumanEval,
    "multipl_e": MultiplE,
    "spider": Spider,
}


def maker(kind: str, source: Source) -> Callable[[dict[str, Any], str], Any]:
    """What turns (document, response) into a job of the sandbox."""
    return PREPARED[kind](source) if kind in PREPARED else PROGRAMS[kind]


def reference(kind: str, document: dict[str, Any]) -> Job:
    """The benchmark's own solution as if a model had written it."""
    if kind == "humaneval":  # its head is cut before the line end
        return humaneval(document, "\n" + document["canonical_solution"])
    return PROGRAMS[kind](document, document["code"])

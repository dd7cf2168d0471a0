"""MBPP's answers as programs against their assertions."""

import ast
import builtins
import symtable
import warnings

from lemur.evaluation.benchmark import Judge
from lemur.evaluation.documents import Document
from lemur.sandbox.judge import Job


class AssertionJudge(Judge):
    """Programs with the problem's set-up, against its assertions one by one."""

    def job(self, document: Document, response: str) -> Job:
        """One answer with the set-up after it."""
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

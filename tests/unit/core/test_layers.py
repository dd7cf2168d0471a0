"""Imports go down only: the layers of docs/architecture.md, read from the code itself."""

import ast
import graphlib

import pytest
from lemur.core.provenance import ROOT

PACKAGE = ROOT / "workflow" / "lemur"
# From the bottom up: a package imports those before it, and the modules beside them all, none after.
LAYERS = (
    "core", "data", "cost", "config", "sandbox", "launch", "chat", "models", "download",
    "corpus", "mixture", "tokenization", "sft", "training", "inference", "evaluation", "agents", "trace",
    "figures", "claims", "study", "dag", "slurm", "publish", "export", "report", "diff",
)  # fmt: skip


def modules():
    """{lemur.x.y: its path} of the whole package."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(path, known):
    """Modules of the package that a file imports, inside functions too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name in known}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (inner & known.keys()) or ({node.module} & known.keys())
    return found


@pytest.fixture(scope="module")
def graph():
    known = modules()
    return {name: imported(path, known) - {name} for name, path in known.items()}


def room(module):
    """A module's folder; None of a module that lies beside the folders."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and (PACKAGE / parts[1]).is_dir() else None


def test_every_folder_is_a_layer():
    assert {path.parent.name for path in PACKAGE.glob("*/__init__.py")} == set(LAYERS)


def test_imports_go_down(graph):
    height = {name: number for number, name in enumerate(LAYERS)}
    upward = [
        f"{module} imports {other}"
        for module, others in graph.items()
        for other in sorted(others)
        if room(other) != room(module)
        and height.get(room(other), -1) >= height.get(room(module), -1)
        and room(other) is not None
    ]
    assert upward == []


def test_no_circle(graph):
    try:
        tuple(graphlib.TopologicalSorter(graph).static_order())
    except graphlib.CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_the_picture_names_every_layer():
    text = (ROOT / "docs" / "architecture.md").read_text()
    assert [name for name in LAYERS if f"`{name}/`" not in text] == []

"""Read config/*.yaml: strict YAML, overlays, recipes with ``extends`` and ``set``."""

import copy
import os
from pathlib import Path
from typing import Any

import yaml

from lemur.config import names, schema
from lemur.data import local_files
from lemur.errors import UserError, nearest
from lemur.provenance import ROOT

CONFIG = ROOT / "config"
# libyaml's parser where PyYAML was built with it: ten times as fast.
_Safe = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Strict(_Safe):
    """YAML that refuses a key given twice (PyYAML would keep the last one in silence)."""


def _mapping(loader: _Strict, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        if key_node.tag == "tag:yaml.org,2002:merge":  # `<<: *anchor`: SafeLoader's own business
            continue
        key = loader.construct_object(key_node, deep=deep)
        if key in seen:
            raise yaml.YAMLError(f"key '{key}' stands twice (line {key_node.start_mark.line + 1})")
        seen.add(key)
    return _Safe.construct_mapping(loader, node, deep)


_Strict.add_constructor(
    yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG,
    lambda loader, node: _mapping(loader, node, deep=True),
)


def strict(text: str) -> Any:
    """A YAML text's value; raises yaml.YAMLError, for a key given twice too."""
    return yaml.load(text, _Strict)  # noqa: S506 (a SafeLoader)


def command_line(entries: list[str]) -> dict[str, Any]:
    """``key=value`` words of Snakemake's ``--config``, read as config/config.yaml would be.

    Snakemake reads each as a Python number first, so that a recipe called 10_1 would be 101: what
    is text by the schema stays the text that was typed.
    """
    texts = schema.texts("config")
    found = {}
    for entry in entries:
        key, _, value = entry.partition("=")
        try:
            read = strict(value)
        except yaml.YAMLError as error:
            if key not in texts:
                problem = getattr(error, "problem", None) or str(error)
                raise UserError(f"config: {key}: not valid YAML: {problem}") from None
            read = value
        found[key] = value if key in texts and not isinstance(read, str) else read
    return found


def read_yaml(path: Path) -> Any:
    """A YAML file's value; a missing or malformed file is a ``UserError`` that names file and line."""
    try:
        return strict(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{shown(path)}: no such file") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error)
        raise UserError(f"{shown(path)}{line}: not valid YAML: {problem}") from None


def shown(path: Path) -> str:
    """A path as a message names it: relative to the repository where it lies inside."""
    try:
        return str(path.resolve().relative_to(ROOT))
    except ValueError:
        return str(path)


def merge(below: Any, above: Any) -> Any:
    """Overlay: mappings merge key by key; lists and plain values of ``above`` replace."""
    if isinstance(below, dict) and isinstance(above, dict):
        merged = dict(below)
        for key, value in above.items():
            merged[key] = merge(below[key], value) if key in below else copy.deepcopy(value)
        return merged
    return copy.deepcopy(above)


def named_file(folder: str, name: str, kind: str) -> Path:
    """``config/<folder>/<name>.yaml``, or a ``UserError`` with the nearest name."""
    path = CONFIG / folder / f"{name}.yaml"
    if "/" in name or not path.is_file():
        known = [file.stem for file in (CONFIG / folder).glob("*.yaml")]
        raise UserError(f"no {kind} '{name}' in config/{folder}{nearest(name, known)}")
    names.plain(name, kind)
    return path


def raw_recipe(name: str, _seen: tuple[str, ...] = ()) -> dict[str, Any]:
    """A recipe's mapping with everything that it extends merged below it (not yet validated)."""
    path = named_file("recipes", name, "recipe")
    value = read_yaml(path)
    if not isinstance(value, dict):
        raise UserError(f"{shown(path)}: a recipe is a mapping, not {type(value).__name__}")
    if "extends" not in value:
        return value
    parent = value.pop("extends")
    if not isinstance(parent, str):
        raise UserError(f"{shown(path)}: extends: {parent!r} is no text: write it between quotes")
    if parent in (*_seen, name):
        raise UserError(f"{shown(path)}: extends: '{parent}' leads back to itself")
    return merge(raw_recipe(parent, (*_seen, name)), value)


def with_values(recipe: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """``recipe`` with ``{dotted.key: value}`` replaced (``--config set='{...}'``).

    A list's entry is reached by its ``name``: ``evaluate.benchmarks.humaneval.limit``.
    """
    changed = copy.deepcopy(recipe)
    for dotted, value in values.items():
        *parents, last = str(dotted).split(".")
        place: Any = changed
        for number, key in enumerate(parents):
            place = _inside(place, key, ".".join(parents[: number + 1]))
        if isinstance(place, list):
            index = next((i for i, item in enumerate(place) if item.get("name") == last), None)
            if index is None:
                raise UserError(f"set: no entry '{last}' in {'.'.join(parents)}")
            place[index] = value
        else:
            place[last] = value
    return changed


def _inside(place: Any, key: str, dotted: str) -> Any:
    if isinstance(place, list):
        for item in place:
            if isinstance(item, dict) and item.get("name") == key:
                return item
        raise UserError(f"set: {dotted}: no entry of that name")
    if isinstance(place, dict) and isinstance(place.get(key), dict | list):
        return place[key]
    known = place if isinstance(place, dict) else ()
    raise UserError(f"set: {dotted}: not a section of the recipe{nearest(key, known)}")


def catalogue(name: str) -> dict[str, Any]:
    """Entries of config/{sources,models,benchmarks,environments}.yaml, each validated."""
    path = CONFIG / f"{name}.yaml"
    value = read_yaml(path)
    schema.check(value, name, shown(path))
    for key, entry in value[name].items():
        _check_local(entry, path, f"{shown(path)}: {name}.{key}")
        if name == "sources" and "status" not in entry:
            raise UserError(f"{shown(path)}: sources.{key}.status: missing")
    return value[name]


def _check_local(entry: dict[str, Any], file: Path, where: str) -> None:
    """Files of this machine: their path as the working folder sees it; what only they may say."""
    pin = entry.get("data", entry)
    if not local_files.is_local(pin.get("from")):
        if entry.get("licence") == "own":
            raise UserError(f"{where}.licence: own is for files of this machine (from: {{path: ...}}): name the licence that it was published under")  # fmt: skip
        return
    if pin is entry:
        entry.setdefault("status", "own")
    path = Path(pin["from"]["path"]).expanduser()
    if not path.is_absolute():
        path = Path(os.path.relpath(file.resolve().parent / path))
    pin["from"]["path"] = str(path)


def figures(changed: dict[str, Any] | None = None) -> dict[str, Any]:
    """config/figures.yaml: how figures look and what the report shows, ``changed`` laid over it."""
    path = CONFIG / "figures.yaml"
    value = merge(read_yaml(path), changed or {})
    where = f"{shown(path)}{' with style' if changed else ''}"
    schema.check(value, "figures", where)
    _names_in_figures(value, where)
    return value


def _names_in_figures(value: dict[str, Any], where: str) -> None:
    """What no schema can say: figures, models and benchmarks that are named are there."""
    drawn = value.get("figures", {})
    foundation = drawn.get("foundation", {})
    named = [
        (f"report.sections.{number}.figures", section["figures"], drawn, "figure", "figures")
        for number, section in enumerate(value["report"]["sections"])
    ]
    models = read_yaml(CONFIG / "models.yaml")["models"]
    benchmarks = read_yaml(CONFIG / "benchmarks.yaml")["benchmarks"]
    explained = [key.split("/")[-1] for key in foundation.get("explanations", {})]
    named += [
        ("start_labels", value.get("start_labels", {}), models, "model", "config/models.yaml"),
        ("figures.foundation.differs", foundation.get("differs", {}), benchmarks, "benchmark", "config/benchmarks.yaml"),
        ("figures.foundation.explanations", explained, benchmarks, "benchmark", "config/benchmarks.yaml"),
    ]  # fmt: skip
    for key, names_, known, kind, there in named:
        for name in names_:
            if name not in known:
                raise UserError(f"{where}: {key}: no {kind} '{name}' in {there}{nearest(name, known)}")  # fmt: skip


def corpus(name: str) -> dict[str, Any]:
    """A corpus: its sources in order, cleaning thresholds, held-out share."""
    path = named_file("corpora", name, "corpus")
    value = read_yaml(path)
    schema.check(value, "corpus", shown(path))
    return value

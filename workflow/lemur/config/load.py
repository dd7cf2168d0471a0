"""Read config/*.yaml: strict YAML, overlays, recipes with ``extends`` and ``set``."""

import copy
import functools
from pathlib import Path
from typing import Any

import yaml

from lemur.config import local_paths, names, schema
from lemur.config.project import CATALOGUES
from lemur.config.values import Values
from lemur.core.errors import UserError, nearest
from lemur.core.provenance import ROOT

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


def command_line(entries: list[str]) -> Values:
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


def named_file(
    folder: str, name: str, kind: str, project: Path | None = None, above: Path | None = None
) -> Path:
    """``<folder>/<name>.yaml`` of a project or of config/, or a ``UserError`` with the nearest name.

    ``above``: the file that names it, which may extend the one of its own name in config/.
    """
    folders = [project / folder] if project else []
    folders += [project] if project and folder == "recipes" else []
    folders.append(CONFIG / folder)
    if "/" not in name:
        for path in (place / f"{name}.yaml" for place in folders):
            if path.is_file() and path != above:
                names.plain(name, kind)
                return path
    known = {
        file.stem
        for place in folders
        for file in place.glob("*.yaml")
        if file != above and (place != project or file.stem not in CATALOGUES)
    }
    places = f"config/{folder}" if project is None else f"config/{folder} or {project}"
    raise UserError(f"no {kind} '{name}' in {places}{nearest(name, known)}")


def raw_recipe(name: str) -> Values:
    """A recipe of config/recipes with everything that it extends merged below it (not yet validated)."""
    return recipe_of(named_file("recipes", name, "recipe"))


def recipe_of(path: Path, project: Path | None = None) -> Values:
    """The same of a file, which with ``project`` may extend another of that folder."""
    value: Values = {}
    for _, above in _generations(path, "recipes", "recipe", project):
        value = merge(value, above)
    return value


def _generations(
    path: Path, folder: str, kind: str, project: Path | None
) -> list[tuple[Path, Values]]:
    """A file and all that it ``extends``, the eldest first, each as it was read and without that key."""
    listed: list[tuple[Path, Values]] = []
    while True:
        value = read_yaml(path)
        if not isinstance(value, dict):
            raise UserError(f"{shown(path)}: a {kind} is a mapping, not {type(value).__name__}")
        listed.insert(0, (path, value))
        if "extends" not in value:
            return listed
        parent = value.pop("extends")
        if not isinstance(parent, str):
            raise UserError(
                f"{shown(path)}: extends: {parent!r} is no text: write it between quotes"
            )
        try:
            below = named_file(folder, parent, kind, project, project and path)
        except UserError as error:
            if parent == path.stem:
                raise UserError(
                    f"{shown(path)}: extends: '{parent}' leads back to itself"
                ) from None
            raise UserError(f"{shown(path)}: extends: {error}") from None
        if below in [known for known, _ in listed]:
            raise UserError(f"{shown(path)}: extends: '{parent}' leads back to itself")
        # What config/ has extends no file of a project, whatever it is called.
        project = project if project and below.is_relative_to(project) else None
        path = below


def with_values(recipe: Values, values: Values) -> Values:
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
                known = [item["name"] for item in place if "name" in item]
                raise UserError(
                    f"set: no entry '{last}' in {'.'.join(parents)}{nearest(last, known)}"
                )
            place[index] = value
        else:
            place[last] = value
    return changed


def _inside(place: Any, key: str, dotted: str) -> Any:
    if isinstance(place, list):
        for item in place:
            if isinstance(item, dict) and item.get("name") == key:
                return item
        known = [item["name"] for item in place if isinstance(item, dict) and "name" in item]
        raise UserError(f"set: {dotted}: no entry of that name{nearest(key, known)}")
    if isinstance(place, dict) and isinstance(place.get(key), dict | list):
        return place[key]
    known = place if isinstance(place, dict) else ()
    raise UserError(f"set: {dotted}: not a section of the recipe{nearest(key, known)}")


@functools.lru_cache(maxsize=16)
def _validated(name: str, path: Path, version: tuple[int, int] | None) -> Values:
    """The entries of a catalogue's file; ``version`` is its time of change and size."""
    value = read_yaml(path)
    schema.check(value, name, shown(path))
    entries: Values = value[name]
    for key, entry in entries.items():
        local_paths.localise(entry, path)
        local_paths.check(entry, name, f"{shown(path)}: {name}.{key}")
    return entries


def catalogue(name: str, project: Path | None = None) -> Values:
    """Entries of config/{sources,models,benchmarks,environments}.yaml, each validated; those of the
    project's file of that name are laid over them, key by key."""
    path = CONFIG / f"{name}.yaml"
    now = path.stat() if path.is_file() else None
    # A command asks for a catalogue up to thirty times; to read and validate it takes the longest.
    entries = copy.deepcopy(_validated(name, path, now and (now.st_mtime_ns, now.st_size)))
    mine = project and project / f"{name}.yaml"
    if mine is None or not mine.is_file():
        return entries
    above = read_yaml(mine)
    given = above.get(name) if isinstance(above, dict) else None
    if not isinstance(given, dict):
        raise UserError(f"{shown(mine)}: {name}: missing (a mapping of names to entries)")
    for key, entry in given.items():
        if isinstance(entry, dict):
            local_paths.localise(entry, mine)
            # Where something is from is one thing: half of another place makes none.
            replaced = ("from", "sha256", "size") if "from" in entry else ()
            replaced = ("data",) if "data" in entry else replaced
            below = entries.get(key, {})
            entries = {**entries, key: {k: v for k, v in below.items() if k not in replaced}}
    value = merge({name: entries}, above)
    schema.check(value, name, shown(mine))
    for key in given:
        local_paths.check(value[name][key], name, f"{shown(mine)}: {name}.{key}")
    return value[name]


def figures(changed: Values | None = None, project: Path | None = None) -> Values:
    """config/figures.yaml: how figures look and what the report shows; over it the project's file of
    that name, and ``changed``."""
    path = CONFIG / "figures.yaml"
    value, where = read_yaml(path), shown(path)
    if project and (project / "figures.yaml").is_file():
        path = project / "figures.yaml"
        value, where = merge(value, read_yaml(path) or {}), shown(path)
    value = merge(value, changed or {})
    where += " with style" if changed else ""
    schema.check(value, "figures", where)
    _names_in_figures(value, where, project)
    return value


def _names_in_figures(value: Values, where: str, project: Path | None) -> None:
    """What no schema can say: figures, models and benchmarks that are named are there."""
    drawn = value.get("figures", {})
    foundation = drawn.get("foundation", {})
    named = [
        (f"report.sections.{number}.figures", section["figures"], drawn, "figure", "figures")
        for number, section in enumerate(value["report"]["sections"])
    ]
    models, benchmarks = _names_of("models", project), _names_of("benchmarks", project)
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


def _names_of(name: str, project: Path | None) -> set[str]:
    """Names of a catalogue's entries, which are checked where they are used."""
    files = [CONFIG / f"{name}.yaml", *([project / f"{name}.yaml"] if project else [])]
    return {
        key for path in files if path.is_file() for key in (read_yaml(path) or {}).get(name, {})
    }


def corpus(name: str, project: Path | None = None) -> Values:
    """A corpus: its sources in order, cleaning thresholds, held-out share; of what it extends as well."""
    path, value = named_file("corpora", name, "corpus", project), {}
    for file, above in _generations(path, "corpora", "corpus", project):
        more = above.pop("more_sources", [])
        local_paths.localise_filters([above, more], file)
        value = merge(value, above)
        value["sources"] = _with_more(value.get("sources"), more, f"{shown(file)}: more_sources")
    schema.check(value, "corpus", shown(path))
    return value


def _with_more(sources: Any, more: Any, where: str) -> Any:
    """``more`` behind ``sources``; one whose name is there already takes its place."""
    if not more:
        return sources
    if not isinstance(more, list) or not all(isinstance(item, dict) for item in more):
        raise UserError(f"{where}: {more!r} is no list of sources")
    if not isinstance(sources, list):
        raise UserError(
            f"{where}: there are no sources to add to: extends names the corpus that has them"
        )
    called = [str(item.get("name")) for item in more]
    for number, name in enumerate(called):
        if name in called[:number]:
            raise UserError(f"{where}.{number}: '{name}' stands twice")
    added = dict(zip(called, more, strict=True))
    # What is no source yet is left to the schema, which names it.
    names_below = [str(item.get("name")) if isinstance(item, dict) else "" for item in sources]
    kept = [added.pop(name, item) for name, item in zip(names_below, sources, strict=True)]
    return [*kept, *added.values()]

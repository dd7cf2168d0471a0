"""Entries of config/benchmarks.yaml as a recipe or a command chooses them."""

from pathlib import Path

from lemur.config.values import Values
from lemur.core.errors import UserError, nearest


def chosen_benchmarks(chosen: list[Values], benchmarks: Values, where: str) -> list[Values]:
    """Entries of config/benchmarks.yaml with what ``chosen`` says of each (name, limit, ...)."""
    listed, names = [], set()
    for number, item in enumerate(chosen):
        name = item["name"]
        place = f"{where}.{number}"
        if name not in benchmarks:
            raise UserError(f"{place}: no benchmark '{name}' in config/benchmarks.yaml{nearest(name, benchmarks)}")  # fmt: skip
        if name in names:
            raise UserError(f"{place}: '{name}' stands twice")
        names.add(name)
        # What leaderboards call its data set changes no answer: it is no part of a recipe.
        entry = {key: value for key, value in benchmarks[name].items() if key != "hub"}
        if not entry.get("available", True):
            raise UserError(f"{place}: '{name}' cannot run yet: {entry.get('reason')}")
        if "path" in entry:
            _check_folder(Path(entry["path"]), entry.get("task", name), f"{place}: '{name}': path")
        if "max_new_tokens" in item:
            entry["decoding"] = {**entry["decoding"], "max_new_tokens": item["max_new_tokens"]}
        if item.get("shots", 0) > entry["shots"]:
            raise UserError(f"{place}: shots: {item['shots']}: '{name}' has {entry['shots']} solved examples")  # fmt: skip
        entry["shots"] = item.get("shots", entry["shots"])
        if entry["decoding"].get("samples", 1) > 1:
            if entry["decoding"]["temperature"] == 0:
                raise UserError(f"{place}: '{name}': decoding.samples: greedy answers are all the same: give a temperature above 0")  # fmt: skip
            if entry.get("judge") != "sandbox":
                raise UserError(f"{place}: '{name}': decoding.samples: pass@k is of programs, which judge '{entry.get('judge')}' runs none of")  # fmt: skip
        listed.append({**entry, "name": name, "limit": item.get("limit")})
    return listed


def _check_folder(folder: Path, task: str, where: str) -> None:
    """UserError unless a benchmark's own folder has what asks and judges its problems."""
    if not folder.is_dir():
        raise UserError(f"{where}: {folder}: no such folder")
    if not (folder / "__init__.py").is_file():
        raise UserError(f"{where}: {folder}: no __init__.py with the benchmark's class")
    found = [path.stem for path in folder.glob("*.yaml")]
    if task not in found:
        raise UserError(f"{where}: {folder}: no {task}.yaml, the task that is asked{nearest(task, found)}")  # fmt: skip

"""Entries of config/benchmarks.yaml as a recipe or a command chooses them."""

from typing import Any

from lemur.errors import UserError, nearest

Recipe = dict[str, Any]


def chosen_benchmarks(chosen: list[Recipe], benchmarks: Recipe, where: str) -> list[Recipe]:
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
        if "max_new_tokens" in item:
            entry["decoding"] = {**entry["decoding"], "max_new_tokens": item["max_new_tokens"]}
        if item.get("shots", 0) > entry["shots"]:
            raise UserError(f"{place}: shots: {item['shots']}: '{name}' has {entry['shots']} solved examples")  # fmt: skip
        entry["shots"] = item.get("shots", entry["shots"])
        if entry["decoding"].get("samples", 1) > 1:
            if entry["decoding"]["temperature"] == 0:
                raise UserError(f"{place}: '{name}': decoding.samples: greedy answers are all the same: give a temperature above 0")  # fmt: skip
            if entry["judge"] != "sandbox":
                raise UserError(f"{place}: '{name}': decoding.samples: pass@k is of programs, which judge '{entry['judge']}' runs none of")  # fmt: skip
        listed.append({**entry, "name": name, "limit": item.get("limit")})
    return listed

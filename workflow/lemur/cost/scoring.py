"""What it costs to score published models, as lines a person reads before the job table."""

from typing import Any

from lemur.cost.agents import agents_line
from lemur.cost.architecture import parameters
from lemur.cost.disk import download_bytes
from lemur.cost.summary import size


def scoring(recipe: dict[str, Any]) -> list[str]:
    """The plan of a recipe that trains nothing: models, problems, longest answers, arithmetic."""
    part = recipe["evaluate"]
    asked = [(item, item.get("limit") or item.get("problems")) for item in part["benchmarks"]]
    answers = sum((count or 0) * item["decoding"]["max_new_tokens"] for item, count in asked)
    rows = [
        ("benchmarks", ", ".join(
            f"{item['name']} ({count:,})" if count else item["name"] for item, count in asked
        )),
        ("tokens", f"at most {answers:,} generated a model"),
    ]  # fmt: skip
    for entry in part["baselines"]:
        rows.append(("model", _model(entry, answers, part["precision"])))
    rows += [("agents", line) for line in agents_line(recipe)]
    unpinned = [
        entry["name"]
        for entry in [*part["baselines"], *({**x["data"], "name": x["name"]} for x, _ in asked)]
        if entry.get("from", {}).get("revision") == "unresolved"
    ]
    if unpinned:
        rows.append(("unpinned", f"{', '.join(unpinned)}: no hub revision yet, so fetch refuses"))
    width = max(len(label) for label, _ in rows)
    head = f"plan of recipe '{recipe['name']}': scores only, nothing is trained (estimates)"
    return [head, *(f"  {label:<{width}}  {text}" for label, text in rows)]


def _model(entry: dict[str, Any], answers: int, precision: str) -> str:
    words = f"{entry['name']}, asked as {entry['format']}"
    if "architecture" not in entry:
        return words
    count = parameters(entry["architecture"])["total"]
    width = 4 if precision == "fp32" else 2
    stored = download_bytes(entry) or (2.0 * count if "from" in entry else 0.0)
    disk = f", disk {size(stored / 1e9)}" if stored else ""
    return (
        f"{words}: {count:,} parameters, memory {size(width * count / 1e9)}{disk}, "
        f"{2.0 * count * answers:.1e} FLOPs"
    )

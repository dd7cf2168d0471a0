"""What it costs to score published models, as lines a person reads before the job table."""

from lemur.cost.agents import agents_line
from lemur.cost.architecture import parameters
from lemur.cost.disk import download_bytes
from lemur.cost.recipe import Model, Recipe
from lemur.cost.summary import size


def scoring(recipe: Recipe) -> list[str]:
    """The plan of a recipe that trains nothing: models, problems, longest answers, arithmetic."""
    part = recipe.evaluate
    asked = [(item, item.asked) for item in part.benchmarks]
    most = {item.name: item.decoding.max_new_tokens for item in part.benchmarks if item.decoding}
    answers = sum((count or 0) * most[item.name] for item, count in asked)
    rows = [
        ("benchmarks", ", ".join(
            f"{item.name} ({count:,})" if count else item.name for item, count in asked
        )),
        ("tokens", f"at most {answers:,} generated a model"),
    ]  # fmt: skip
    for entry in part.baselines:
        rows.append(("model", _model(entry, answers, part.width)))
    rows += [("agents", line) for line in agents_line(recipe)]
    unpinned = [
        *(entry.name for entry in part.baselines if entry.unresolved),
        *(item.name for item, _ in asked if item.data.unresolved),
    ]
    if unpinned:
        rows.append(("unpinned", f"{', '.join(unpinned)}: no hub revision yet, so fetch refuses"))
    width = max(len(label) for label, _ in rows)
    head = f"plan of recipe '{recipe.name}': scores only, nothing is trained (estimates)"
    return [head, *(f"  {label:<{width}}  {text}" for label, text in rows)]


def _model(entry: Model, answers: int, width: int) -> str:
    words = f"{entry.name}, asked as {entry.format}"
    if entry.architecture is None:
        return words
    count = parameters(entry.architecture)["total"]
    stored = download_bytes(entry) or (2.0 * count if entry.origin else 0.0)
    disk = f", disk {size(stored / 1e9)}" if stored else ""
    return (
        f"{words}: {count:,} parameters, memory {size(width * count / 1e9)}{disk}, "
        f"{2.0 * count * answers:.1e} FLOPs"
    )

"""One side of a comparison: a recipe by its name, or the folder of a run."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lemur.config import project, recipe
from lemur.config.values import Values
from lemur.core.errors import UserError
from lemur.core.files import read_json
from lemur.core.provenance import read_record
from lemur.evaluation.score import Score, read_scores
from lemur.trace import records


@dataclass(frozen=True)
class Side:
    """``resolved``: the recipe; ``scores``: (benchmark, model) to the score of its run, empty where
    it was not run here; ``folder``: where that run lies."""

    name: str
    resolved: Values
    scores: Mapping[tuple[str, str], Score]
    folder: Path


def read(given: str) -> Side:
    """``given``: a file of config/recipes without .yaml, the file of a project's recipe, or a folder
    ``results/<recipe>`` of any checkout. A recipe's run is looked for in this folder's results, a
    project's in its own; ``UserError`` for none of these."""
    if given.endswith(project.ENDINGS) and (file := project.recipe_file(given)):
        resolved = recipe.resolve(given)
        folder = file.parent / "results" / resolved["name"]
        return Side(given, resolved, _scores(folder), folder)
    if "/" in given:
        folder = Path(given)
        if not folder.is_dir():
            raise UserError(f"diff: {given}: no such folder")
        scores = _scores(folder)
        return Side(given, _ran(folder, scores), scores, folder)
    resolved = recipe.resolve(given)
    folder = Path("results") / resolved["name"]
    return Side(given, resolved, _scores(folder), folder)


def _scores(folder: Path) -> dict[tuple[str, str], Score]:
    paths = sorted(folder.glob("evaluate/*/*/scores.json"))
    return {(score.benchmark, score.model): score for score in read_scores(paths)}


def _ran(folder: Path, scores: Mapping[tuple[str, str], Score]) -> Values:
    """The resolved recipe of a run: the one that its newest score was made by, else the only one."""
    kept = [
        path for path in sorted(folder.glob("recipes/*.json")) if not path.name.endswith(records.SUFFIX)
    ]  # fmt: skip
    made = [read_record(found) for score in scores.values() if (found := records.find(score.path))]
    if made:
        newest = max(made, key=lambda facts: facts.started)
        kept = [path for path in kept if path.stem == (newest.recipe_digest or "")[:16]]
    if len(kept) != 1:
        raise UserError(
            f"diff: {folder}: {'no recipe' if not kept else f'{len(kept)} recipes and no score'} "
            "in recipes/ that says what was run"
        )
    return dict(read_json(kept[0]))

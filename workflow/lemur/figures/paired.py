"""Two verdicts on one problem: by another rule, asked in another way, or of another model."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lemur.errors import UserError
from lemur.evaluate import intervals

Score = dict[str, Any]


def otherwise(score: Score, column: Sequence[Score]) -> str | None:
    """The score by the other rules that judged the same answers, and beside a benchmark asked as
    the paper's code does (``*_paper``) the same problems asked otherwise, from the scores of its
    ``column``; each with the number of problems on which the verdicts differ."""
    if score["value"] is None:
        return None
    told = []
    for name, one in sorted((score.get("beside") or {}).items()):
        label, missed = name.replace("_", " "), one.get("not_checked", 0)
        unknown = f", {missed} not checked" if missed else ""
        if one["value"] is None:
            told.append(f"{label}: not checked")
        elif one.get("differs_on"):
            told.append(f"{label} {100 * one['value']:.1f}: {one['differs_on']} differ{unknown}")
        elif "differs_on" in one:
            told.append(f"{label}: none differs{unknown}")
    for other in column if score["benchmark"].endswith("_paper") else ():
        if other["value"] is None or other is score:
            continue
        mine = {document: share for (_, document), share in passed(score["_path"]).items()}
        theirs = {document: share for (_, document), share in passed(other["_path"]).items()}
        shared = mine.keys() & theirs.keys()
        if shared:
            differ = sum(mine[key] != theirs[key] for key in shared)
            asked = f"{differ} of {len(shared)} differ" if differ else "none differs"
            told.append(f"{other['benchmark']} {100 * other['value']:.1f}: {asked}")
    return "; ".join(told) or None


def against(score: Score, other: Score | None) -> str | None:
    """The paired difference to another model on the problems that both were asked and judged on;
    McNemar's test where each of them was answered once."""
    if other is None or score["value"] is None or other["value"] is None:
        return None
    mine, theirs = passed(score["_path"]), passed(other["_path"])
    shared = sorted(set(mine) & set(theirs))
    if not shared:
        return None
    ours, others = [mine[key] for key in shared], [theirs[key] for key in shared]
    once = {*ours, *others} <= {0.0, 1.0}
    rights = [bool(one) for one in ours], [bool(one) for one in others]
    mean, low, high = (
        intervals.paired_shares(*rights) if once else intervals.paired_difference(ours, others)
    )
    test = f", McNemar p = {intervals.mcnemar(*rights):.2g}" if once else ""
    sign = f"{100 * mean:+.1f} ({100 * low:+.1f} to {100 * high:+.1f}{test})"
    return sign if len(shared) == score["n"] == other["n"] else f"{sign} on {len(shared)}"


def passed(scores: Path) -> dict[tuple[str, str], float]:
    """The share of each problem's answers that passed, from the verdicts beside ``scores``; a
    problem that was not judged is left out, since that is not failing."""
    path = scores.with_name("verdicts.jsonl")
    found = {}
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            one = json.loads(line)
            judged = [v for v in one.get("samples", [one["verdict"]]) if v != "not judged"]
            if judged:
                share = sum(verdict == "passed" for verdict in judged) / len(judged)
                found[one["task"], one["document"]] = share
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path}: not verdicts ({error})") from None
    return found

"""Does a recount say what the committed outcome table says?"""

from collections.abc import Sequence

from lemur.agents.outcomes import Outcome
from lemur.core.errors import UserError


def _key(outcome: Outcome) -> tuple[str, str, str, str, int]:
    return (outcome.model, outcome.feedback, outcome.category, outcome.task, outcome.episode)


def _said(outcome: Outcome | None) -> str:
    if outcome is None:
        return "absent"
    counts = f"{outcome.turns} turns, {outcome.cells} cells, {outcome.tokens} tokens"
    return f"{'' if outcome.solved else 'not '}solved ({outcome.end}, {counts})"


def compare(recount: Sequence[Outcome], committed: Sequence[Outcome]) -> int:
    """Number of episodes that agree; any difference is a ``UserError`` that names the first one."""
    new = {_key(outcome): outcome for outcome in recount}
    old = {_key(outcome): outcome for outcome in committed}
    if len(new) != len(recount) or len(old) != len(committed):
        table = "recount" if len(new) != len(recount) else "committed table"
        raise UserError(f"the {table} lists an episode twice")
    different = sorted(key for key in new.keys() | old.keys() if new.get(key) != old.get(key))
    if not different:
        return len(new)
    first = different[0]
    raise UserError(
        f"{len(different)} of {len(new.keys() | old.keys())} episodes differ from the committed "
        f"outcome table; first: {' '.join(map(str, first))}: recounted {_said(new.get(first))}, "
        f"committed {_said(old.get(first))}"
    )

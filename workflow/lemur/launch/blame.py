"""Which of several ranks ended a run, in one sentence."""

import signal

from lemur.core.errors import LostRank, UserError

CONTINUES = "the other ranks were ended; the same command continues from the last checkpoint"


def blame(
    names: list[str | None], failures: dict[int, int], killed: set[int]
) -> tuple[int, str | None]:
    """(place of the rank that is the reason, a line about it or None where it said all itself).

    ``names``: a node's ranks by place (None: the only process, which is no rank). ``failures``: exit
    codes by place, in the order in which they were seen. ``killed``: places that did not end.
    """
    own = [place for place, code in failures.items() if code != LostRank.exit_code]
    if own:
        place, code = own[0], failures[own[0]]
    elif killed:
        place = min(killed)
        rank = names[place]
        return place, f"rank {rank} did not answer the others and was killed; {CONTINUES}"
    else:
        place = next(iter(failures))
        return place, f"rank {names[place]} lost a rank of another node; {CONTINUES}"
    who = "the process" if names[place] is None else f"rank {names[place]}"
    then = "the same command continues from the last checkpoint"
    then = then if len(names) == 1 else CONTINUES
    if code < 0:
        name = signal.Signals(-code).name
        why = " (out of memory?)" if -code == signal.SIGKILL else ""
        return place, f"{who} was ended by {name}{why}; {then}"
    said_all = code in (UserError.exit_code, 128 + signal.SIGINT) or names[place] is None
    return place, None if said_all else f"{who} left with code {code}; {then}"

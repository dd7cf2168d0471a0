"""``LEMUR_OFFLINE=1``: what must come from the network is refused, with one line."""

import os

from lemur.core.errors import UserError


def is_set() -> bool:
    """Whether the user forbade the network (``LEMUR_OFFLINE``, or the hub's own variable)."""
    return any(
        os.environ.get(name, "").lower() not in ("", "0", "false", "no")
        for name in ("LEMUR_OFFLINE", "HF_HUB_OFFLINE")
    )


def refuse(label: str) -> None:
    """Raise ``UserError`` when the network is forbidden; ``label`` is what was wanted from it."""
    if is_set():
        raise UserError(
            f"{label}: not here yet, and LEMUR_OFFLINE forbids the network: unset it and run "
            "`snakemake fetch` once"
        )

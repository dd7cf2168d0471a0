"""One rank among several: which it is, and how it leaves when something goes wrong."""

import os
import sys
import traceback
from collections.abc import Callable

import torch

from lemur.core.command import guarded
from lemur.core.errors import LostRank

# How gloo and NCCL say, as plain RuntimeErrors, that another rank is gone or silent.
LOST = (
    "Connection closed by peer",
    "Connection reset by peer",
    "Connection refused",
    "Broken pipe",
    "Timed out waiting",
    "timed out",
    "timeout",
    "NCCL communicator was aborted",
    "remote process exited",
)


def rank() -> int:
    """This process's rank, as a launcher sets it; 0 without one."""
    return int(os.environ.get("RANK", "0"))


def lost(error: BaseException) -> bool:
    """Whether ``error`` is the end of another rank, as a collective of this one meets it."""
    if isinstance(error, LostRank | torch.distributed.DistError):
        return True
    text = str(error)
    here = "gloo" in text or "NCCL" in text or "store" in text.lower()
    return isinstance(error, RuntimeError) and here and any(part in text for part in LOST)


def one_of_several(action: Callable[[], None]) -> None:
    """Run ``action``; on an error print it as a command does and end this process at once.

    The ordinary way out waits in the destructors of the process group for ranks that may be gone.
    """
    code = 1
    try:
        guarded(action)
        return
    except SystemExit as stop:
        code = stop.code
    except BaseException as error:
        if lost(error):
            code = LostRank.exit_code
        else:
            traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)

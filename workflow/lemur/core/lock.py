"""The one lock of the project: the kernel's, which ends with the process that holds it.

So none is ever stale, however a process ends. Some network file systems keep no such locks.
"""

import fcntl
from typing import Any

from lemur.core.log import logger


def try_lock(file: Any) -> bool:
    """Whether the exclusive lock of an open ``file`` (or its descriptor) could be had.

    Where the file system keeps no locks it is had, and one line warns of that.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        logger.warning(
            f"warning: no lock can be held here ({error.strerror}): "
            "see to it that one run at a time works in this folder"
        )
    return True

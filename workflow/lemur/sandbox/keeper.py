"""Run by itself, outside: starts a command and ends it with the one who asked for it.

``keeper.py PARENT COMMAND...``. Apptainer ends its tree when its first process ends, but forgets
whose death was to end that one. Exit status: the command's, 128 + n if signal n ended it.
"""

import ctypes
import os
import signal
import sys


def main() -> int:
    """Wait for the command, or for the order to end it."""
    awaited = {signal.SIGTERM, signal.SIGCHLD}
    signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
    ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)  # PR_SET_PDEATHSIG
    if os.getppid() != int(sys.argv[1]):
        return 1  # it has died already
    child = os.fork()
    if child == 0:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, awaited)
        os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 - no shell is wanted
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))  # or nobody sees that the command closed them
    if signal.sigwait(awaited) == signal.SIGTERM:
        os.kill(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main())

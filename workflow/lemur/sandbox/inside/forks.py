"""What holds tests: one process that forks for every judgement, and the verdict of a test."""

import json
import os
import resource
import signal
import socket

import wire
from confine import confine


class Raised(Exception):
    """The program raised; ``told`` is what its runner said about it, whatever that is."""

    def __init__(self, reply):
        if not isinstance(reply, dict):
            reply = {"raised": "a malformed answer"}
        number = reply.get("errno")
        self.told = {
            "raised": str(reply.get("raised", "an exception"))[:100],
            "text": str(reply.get("text", ""))[:300],
            "errno": number if type(number) is int else None,
        }
        super().__init__(f"{self.told['raised']}: {self.told['text']}")


def outcome(test):
    """``(verdict, told)`` of calling ``test``: passed, failed, error or ended, and what is known
    about it."""
    try:
        test()
    except AssertionError as error:
        return "failed", {"text": str(error)[:300]}
    except Raised as error:
        return "error", error.told
    except wire.Closed:
        return "ended", {}
    except wire.TooLarge as error:
        return "error", {"raised": "TooLarge", "text": str(error)}
    except BaseException as error:  # the test could not digest an answer: as wrong as a wrong one
        return "failed", {"text": f"{type(error).__name__}: {error}"[:300]}
    return "passed", {}


def _serve(judge, channel, pipe, job):
    """One judgement, in a process of its own: read the job, write the verdict."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with os.fdopen(job, "rb") as file:
        job = json.load(file)
    # Nobody waits for a test longer than this: the default of SIGALRM ends it.
    signal.setitimer(signal.ITIMER_REAL, job["wall_seconds"])
    resource.setrlimit(resource.RLIMIT_CPU, (job["cpu_seconds"], job["cpu_seconds"] + 1))
    verdict, reply = judge(job, channel)
    with os.fdopen(pipe, "w") as out:
        json.dump({"verdict": verdict, "told": reply}, out)


def serve(judge, before=None):
    """Wait for judgements and fork for each, so that none sees what another one left behind;
    ``before`` is given the message of each before its fork. ``judge(job, channel)`` gives
    ``(verdict, told)``."""
    control = socket.socket(fileno=int(os.environ["LEMUR_CONTROL"]))
    confine(json.loads(control.recv(65536)))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how a child ended
    while True:
        message, files, _, _ = socket.recv_fds(control, 65536, 3)
        if not message:
            return
        if before is not None:
            before(message)
        if os.fork() == 0:
            try:
                control.close()
                _serve(judge, *files)
            finally:
                os._exit(0)
        for number in files:
            os.close(number)

"""Memory is measured whatever names the watched program gives to itself and its memory."""

import subprocess
import sys

from lemur.sandbox import memory

SIZE = 64 << 20
# Names that are no UTF-8, and that hold what str.splitlines takes for the end of a line.
PROGRAM = f"""
import ctypes, mmap, os, sys
libc = ctypes.CDLL(None)
libc.prctl(15, b"\\xff\\x1cRssShmem:", 0, 0, 0)  # PR_SET_NAME
file = libc.memfd_create(b"\\xc2\\x85 \\x1c1 2", 0)
os.ftruncate(file, {SIZE})
held = mmap.mmap(file, {SIZE})
print("ready", flush=True)
sys.stdin.read()
"""


def test_no_name_hides_shared_memory():
    command = [sys.executable, "-c", PROGRAM]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        assert memory.measure_resident([process.pid]) > SIZE

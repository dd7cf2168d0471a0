"""Run a command and write what it cost: launch.py OUT.json COMMAND...

A process begins with the peak memory of whoever started it, so this one, which is small, does.
"""

import json
import os
import sys

out, *command = sys.argv[1:]
child = os.posix_spawn(command[0], command, os.environ)
_, status, usage = os.wait4(child, 0)
with open(out, "w") as file:
    json.dump([usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024], file)
sys.exit(os.waitstatus_to_exitcode(status) != 0)

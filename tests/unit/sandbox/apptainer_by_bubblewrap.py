#!PYTHON
"""Does what ``apptainer exec`` is asked to do, by bubblewrap: for machines without apptainer."""

import csv
import os
import sys

if sys.argv[1:] == ["--version"]:
    print("apptainer version 1.4.5")
    sys.exit()
words = sys.argv[2:]
assert sys.argv[1] == "exec", sys.argv
plain = {"--containall", "--no-home", "--no-eval", "--no-umask", "--no-privs"}
plain |= {"--net", "--uts", "--userns"}
valued = {"--network", "--hostname", "--no-mount", "--scratch", "--security", "--mount", "--env"}
valued |= {"--pwd"}
given = {}
while words[0].startswith("--"):
    name = words.pop(0)
    assert name in plain | valued, name
    given.setdefault(name, []).append(words.pop(0) if name in valued else "")
image, *command = words
assert plain - {"--userns"} <= set(given) and given["--network"] == ["none"], given
size = str(64 << 20)
line = ["bwrap", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--die-with-parent"]
line += ["--unshare-net"]
line += ["--ro-bind", image, "/", "--dev", "/dev"]
for mount in given["--mount"]:
    (fields,) = csv.reader([mount])
    parts = dict(field.split("=", 1) for field in fields if "=" in field)
    assert parts["type"] == "bind" and "ro" in fields, mount
    line += ["--ro-bind", parts["source"], parts["destination"]]
for folder in ("/tmp", "/dev/shm"):
    line += ["--perms", "1777", "--size", size, "--tmpfs", folder]
line += ["--remount-ro", "/dev", "--chdir", given["--pwd"][0], "--cap-drop", "ALL"]
if "--userns" in given:
    line += ["--unshare-user", "--uid", "65534", "--gid", "65534"]
else:
    (user, group) = given["--security"][0].split(",")
    line += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    become = "import os,sys;os.setgroups([]);os.setresgid(*[int(sys.argv[2])]*3);"
    become += "os.setresuid(*[int(sys.argv[1])]*3);os.execv(sys.argv[3],sys.argv[3:])"
    numbers = [user.removeprefix("uid:"), group.removeprefix("gid:")]
    command = [command[0], "-I", "-S", "-c", become, *numbers, *command]
line += ["--setenv", "APPTAINER_NAME", "image", "--setenv", "HOME", "/root"]
for one in given.get("--env", []):
    line += ["--setenv", *one.split("=", 1)]
os.execvp("bwrap", [*line, "--", *command])

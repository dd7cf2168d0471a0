"""The groups in which sandboxes are counted: where they are made, that nothing is left of them, and
that a group which counts nothing hides nothing."""

import os
import signal
import subprocess
import threading
import time

import pytest
from lemur.sandbox import cgroup, pool, process
from lemur.sandbox.judge import Job, judge
from lemur.sandbox.policy import PLAIN
from lemur.sandbox.steps import Steps
from unit.sandbox.test_kernel_memory import LIMITS, PYTHON, TABLES


class Uncounted(cgroup.Group):
    """A group that no process enters, or one that counts nothing."""

    def wrap_command(self, command):
        return command

    def is_empty(self):
        return not COUNTS

    def read_kernel_memory(self):
        return 0

    def close(self):
        self.folder.rmdir()


COUNTS = True


@pytest.mark.parametrize("counts", [True, False], ids=["counts nothing", "stays empty"])
def test_page_tables_count_beside_a_group(sandbox, monkeypatch, tmp_path, counts):
    pool.close()
    monkeypatch.setitem(globals(), "COUNTS", counts)
    monkeypatch.setattr(cgroup, "make_group", lambda: Uncounted(tmp_path))
    code = TABLES.replace("SIZE", "110") + "f()"
    job = Steps((("a.py", code),), ((PYTHON, "-I", "-S", "a.py"),), PLAIN)
    assert job.run(sandbox, LIMITS).verdict == "out of memory"
    pool.close()
    assert not list(tmp_path.iterdir())


def test_no_variable_of_what_enters_the_group_is_seen(sandbox, monkeypatch, tmp_path):
    """It enters by a shell, and shells set variables of their own."""
    pool.close()
    monkeypatch.setattr(
        Uncounted, "wrap_command", lambda _, command: ["/usr/bin/env", "SHLVL=1", *command]
    )
    monkeypatch.setattr(cgroup, "make_group", lambda: Uncounted(tmp_path))
    code = "import os\ndef f(): return 'SHLVL' in os.environ, 'HOME' in os.environ"
    job = Job(code, ("assert f() == (False, True), f()",), ("f",))
    assert judge(sandbox, job, LIMITS).verdict == "passed"
    pool.close()


@pytest.mark.parametrize("name", ["pipe", "memfd_create", "fdopen"])
def test_no_group_is_left_where_a_sandbox_cannot_begin(sandbox, monkeypatch, tmp_path, name):
    def fails(*_):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(cgroup, "make_group", lambda: Uncounted(tmp_path))
    monkeypatch.setattr(process.os, name, fails)
    files = len(os.listdir("/proc/self/fd"))
    with pytest.raises(OSError, match="Too many open files"):
        process.Confined(sandbox, "runner.py", LIMITS, files={})
    monkeypatch.undo()
    assert not list(tmp_path.iterdir())
    assert len(os.listdir("/proc/self/fd")) <= files + (2 if name == "fdopen" else 0)


def made_groups(top, own, *, memory=(), marked=()):
    """A version 2 whose group ``own`` this process is in."""
    (top / own).mkdir(parents=True)
    for folder in (top, *(top / own).parents, top / own):
        if folder.is_relative_to(top):
            (folder / "cgroup.subtree_control").write_text("memory" if folder in memory else "")
    for folder in marked:
        os.setxattr(folder, "user.delegate", b"1")


def test_groups_are_made_where_that_is_left_to_this_process(monkeypatch, tmp_path):
    """Version 2, of which systemd manages every group that it has not marked as left to others."""
    monkeypatch.setattr(cgroup.os, "geteuid", lambda: 0)
    cases = {
        "beside, in a group left to others": ("a/b", ["a"], ["a"], ["a"]),
        "above, where nobody has left it": ("a/b", ["", "a"], [], []),
        "its own is left to it, the one above is not": ("a/b", ["a"], ["a/b"], []),
        "deep in what is left to it": ("a/b/c", ["a", "a/b"], ["a"], ["a/b"]),
        "beside it, memory is not counted": ("a/b", [""], ["a"], []),
        "the root of all": (".", [""], [], [""]),
        "above is the root of all": ("a", [""], [], []),
    }
    for number, (words, (own, memory, marked, wanted)) in enumerate(cases.items()):
        top = tmp_path / str(number)
        try:
            made_groups(
                top, own, memory=[top / one for one in memory], marked=[top / one for one in marked]
            )
        except OSError as error:
            pytest.skip(f"sandbox: no attributes of files here: {error}")
        monkeypatch.setattr(cgroup, "_read_own", lambda own=own: {"": f"/{own}"})
        mounts = [("cgroup2", "rw", "/", str(top))]
        monkeypatch.setattr(cgroup, "_read_mounts", lambda mounts=mounts: mounts)
        assert cgroup._find_candidates() == [top / one for one in wanted], words


def test_groups_of_a_container_and_of_a_user(monkeypatch, tmp_path):
    made_groups(tmp_path, "a", memory=[tmp_path])
    monkeypatch.setattr(cgroup, "_read_own", lambda: {"": "/a"})
    monkeypatch.setattr(cgroup, "_read_mounts", lambda: [("cgroup2", "rw", "/", str(tmp_path))])
    monkeypatch.setattr(cgroup.os, "geteuid", lambda: 0)
    assert cgroup._find_candidates() == []
    (tmp_path / "cgroup.type").write_text("domain\n")  # which the root of all has not
    assert cgroup._find_candidates() == [tmp_path]
    (tmp_path / "cgroup.type").unlink()
    os.chown(tmp_path, 1234 if os.getuid() == 0 else -1, -1)
    monkeypatch.setattr(cgroup.os, "geteuid", lambda: tmp_path.stat().st_uid)
    assert cgroup._find_candidates() == [tmp_path]


def test_no_group_is_left(sandbox):
    place = cgroup.find_parent()
    if place is None:
        pytest.skip("sandbox: no memory cgroup can be made here")
    assert (
        judge(sandbox, Job("def f(): return 1", ("assert f() == 1",), ("f",)), LIMITS).verdict
        == "passed"
    )
    pool.close()
    assert not list(place.glob(f"lemur-sandbox-{os.getpid()}-*"))
    group = cgroup.make_group()
    left = subprocess.Popen(group.wrap_command(["/bin/sleep", "60"]))
    until = time.monotonic() + 5
    while not (group.folder / "cgroup.procs").read_text() and time.monotonic() < until:
        time.sleep(0.01)
    threading.Thread(target=left.wait).start()
    group.close()
    assert not group.folder.exists() and left.wait() == -signal.SIGKILL

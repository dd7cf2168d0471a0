"""The second tier: the same attempts to get out, and what makes the probe refuse it.

Where apptainer is not installed, a stand-in does by bubblewrap what apptainer is asked to do: the
tier's own code (arguments, mount points, keeper, watch, confinement from inside) is the same.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from lemur.evaluation.benchmarks.ds1000 import judge as ds1000
from lemur.evaluation.benchmarks.ds1000.separated import Separated
from lemur.sandbox import apptainer, pool
from lemur.sandbox import probe as probing
from lemur.sandbox.judge import Job, judge
from lemur.sandbox.policy import Limits, Root
from lemur.sandbox.steps import Steps
from unit.evaluation.made_science import FORGES, PLAIN, SAME
from unit.sandbox.test_escapes import (
    asked,
    returned,
    test_a_bad_answer_cannot_stop_the_judge,  # noqa: F401 - run again, with the fixture of here
    test_a_daemonised_child_ends_with_its_sandbox,  # noqa: F401
    test_a_right_program_passes_and_a_wrong_one_fails,  # noqa: F401
    test_a_verdict_forged_on_every_descriptor,  # noqa: F401
    test_answering_for_the_test_needs_the_right_answer,  # noqa: F401
    test_filling_the_disk,  # noqa: F401
    test_fork_bomb,  # noqa: F401
    test_home_environment_and_host_are_not_to_be_seen,  # noqa: F401
    test_ignoring_signals_does_not_help,  # noqa: F401
    test_leaving_is_not_passing,  # noqa: F401
    test_memory_of_all_processes_together,  # noqa: F401
    test_no_name_is_resolved,  # noqa: F401
    test_no_network,  # noqa: F401
    test_no_socket_of_the_host,  # noqa: F401
    test_not_root_and_without_rights,  # noqa: F401
    test_ten_gigabytes,  # noqa: F401
    test_the_expected_answers_cannot_be_read,  # noqa: F401
    test_thread_bomb,  # noqa: F401
    test_tmp_is_private,  # noqa: F401
)
from unit.sandbox.test_more_escapes import (
    test_a_grandchild_that_outlives_the_program_writes_no_verdict,  # noqa: F401
    test_abstract_sockets_of_two_sandboxes_do_not_meet,  # noqa: F401
    test_five_hundred_replies_sent_ahead,  # noqa: F401
    test_limits_of_no_other_process_can_be_changed,  # noqa: F401
    test_neither_frames_nor_the_collector_hold_the_answer,  # noqa: F401
    test_no_namespace_by_other_ways_of_calling,  # noqa: F401
    test_nothing_is_typed_into_a_terminal,  # noqa: F401
    test_the_judge_cannot_be_stopped,  # noqa: F401
)

STAND_IN = Path(__file__).with_name("apptainer_by_bubblewrap.py")


def stand_in(folder, old="", new=""):
    """An ``apptainer`` in ``folder``, with ``old`` of it replaced."""
    text = STAND_IN.read_text().replace("PYTHON", sys.executable, 1)
    assert old in text
    made = folder / "apptainer"
    made.write_text(text.replace(old, new) if old else text)
    made.chmod(0o755)
    return made


def bubblewrap_cannot_run() -> str | None:
    """Why there is nothing to stand in with; a plain chroot, or a kernel's setting, stops it."""
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed"
    tried = subprocess.run(["bwrap", "--ro-bind", "/", "/", "true"], capture_output=True, text=True)
    return tried.stderr.strip() or "bubblewrap cannot run" if tried.returncode else None


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    path = shutil.which("apptainer")
    if path is None and shutil.which("bwrap") is None:
        pytest.skip("sandbox: neither apptainer nor bubblewrap is installed")
    with pytest.MonkeyPatch.context() as patch:
        if path is None:
            folder = tmp_path_factory.mktemp("bin")
            stand_in(folder)
            patch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
        found = probing._tier("apptainer", "apptainer")
        if isinstance(found, probing.Absent):
            pytest.skip(f"sandbox: {found.reason}")
        yield found
    pool.close()


def test_a_data_science_problem_is_judged_by_two_processes(sandbox, tmp_path):
    text, root = PLAIN["code_context"], ds1000.root(tmp_path)
    found = {
        code: Separated(text, code, root).run(sandbox, Limits()).verdict
        for code in ("result = sum(x)", SAME, FORGES)
    }
    assert list(found.values()) == ["passed", "failed", "error"]


def test_its_name_says_the_tier(sandbox):
    how = "user namespace" if os.geteuid() else "root, dropped to another user"
    assert sandbox.name == f"apptainer {sandbox.version} ({how})"


def test_nothing_outside_tmp_can_be_written(sandbox):
    program = """
import os
def f():
    wrote, tried = [], 0
    for folder, names, _ in os.walk("/"):
        if folder.count("/") > 3: names.clear()
        tried += 1
        try: open(os.path.join(folder, "written"), "w").close()
        except OSError: continue
        if os.stat(folder).st_dev != os.stat("/tmp").st_dev and folder != "/dev/shm":
            wrote.append(folder)
    return wrote, tried > 20
"""
    assert returned(sandbox, program) == "([], True)"


def test_memory_and_files_are_bounded_for_all_processes_together(sandbox):
    wide = Limits(memory_mb=512, tmp_mb=8, file_mb=16, cpu_seconds=2)
    one = "def f():\n    open('/tmp/a', 'wb').write(b'x' * (12 << 20))\n    return 1"
    verdict = asked(sandbox, one, limits=wide)
    assert (verdict.verdict, verdict.detail) == (
        "error",
        "the limit on files in /tmp and /dev/shm",
    )


def test_commands_with_a_root_of_their_own(sandbox, tmp_path):
    """A compiler's folder, a link and a variable of a language's root, with odd names."""
    (tmp_path / "tools, all").mkdir(mode=0o755)
    (tmp_path / "tools, all/data").write_text("inside")
    for folder in (tmp_path, *tmp_path.parents[:-2]):
        folder.chmod(folder.stat().st_mode | 0o055)
    root = Root(
        paths=((str(tmp_path / "tools, all"), "/opt/tools"),),
        links=(("/opt/tools", "/usr/tools"),),
        environment=(("LANGUAGE", "odd, one"),),
    )
    python = f"/python/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    code = (
        "import os; print(open('/usr/tools/data').read(), os.environ['LANGUAGE'], len(os.environ));"
        "os.path.isfile('main.py') and open('main.py').read() == '<?php )\\n' and print('gone')"
    )
    steps = Steps(
        (("main.py", code),),
        ((python, "-I", "-S", "main.py"),),
        root,
        word=("inside odd,", " one 7\ngone"),
        once="main.py",
    )
    found = steps.run(sandbox, Limits())
    assert found.verdict == "passed" and found.ended, found
    wrong = Steps((("main.py", "1/0"),), ((python, "-I", "-S", "main.py"),), root)
    assert wrong.run(sandbox, Limits()).verdict == "failed"


def test_the_command_asks_for_everything_that_confines():
    line = apptainer.build_command("apptainer", "runner.py", {"A": 7}, user_namespace=True)
    for words in (["--containall"], ["--no-home"], ["--network", "none"], ["--userns"]):
        assert " ".join(words) in " ".join(line)
    assert {"--no-privs", "--net", "--no-eval"} <= set(line)
    assert not {"--bind", "--writable", "--writable-tmpfs", "--keep-privs", "--nv"} & set(line)
    mounts = [line[at + 1] for at, word in enumerate(line) if word == "--mount"]
    assert mounts and all(mount.endswith(",ro") for mount in mounts)
    targets = [mount.split("destination=")[1].removesuffix(",ro") for mount in mounts]
    allowed = ("/usr/lib", "/lib", "/nix/store", "/python/", "/judge/", "/etc/ld.so.cache")
    allowed += ("/usr/share/zoneinfo", "/dev/mqueue")
    assert all(target.startswith(allowed) for target in targets), targets
    root = apptainer.build_command("apptainer", "runner.py", {}, user_namespace=False)
    again = apptainer.build_command("apptainer", "runner.py", {}, user_namespace=False)
    users = [one[one.index("--security") + 1] for one in (root, again)]
    assert "--userns" not in root and users[0] != users[1]  # or they would share a count


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('line += ["--unshare-net"]', "", "a socket of the host"),
        (
            'line += ["--remount-ro"',
            'line += ["--bind", "/etc", "/etc"]\nline += ["--remount-ro"',
            "/",
        ),
        ('"--unshare-pid", ', "", "64 MB in /tmp"),  # nor would its watch find what is inside
        ("os.setresuid(*[int(sys.argv[1])]*3);", "", "root"),
    ],
)
def test_a_tier_that_keeps_less_in_is_not_used(tmp_path, monkeypatch, old, new, told):
    if os.geteuid() != 0:
        pytest.skip("root: the stand-in gives up rights in root's way")
    if told_by := bubblewrap_cannot_run():
        pytest.skip(f"sandbox: {told_by}")
    stand_in(tmp_path, old, new)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    found = probing._tier("apptainer", "apptainer")
    assert isinstance(found, probing.Absent)
    assert told in found.reason and "does not keep a program in" in found.reason, found.reason
    assert "\n" not in found.reason


def test_it_is_asked_for_only_where_bubblewrap_cannot_run(monkeypatch, tmp_path):
    tool = probing.Sandbox("apptainer", "1.4.5", True, "apptainer")
    tiers = {"bubblewrap": probing.Absent("bubblewrap is shut"), "apptainer": tool}
    monkeypatch.setattr(probing, "_tier", lambda name, _: tiers[name])
    monkeypatch.setattr(probing.shutil, "which", lambda _: "/usr/bin/apptainer")
    assert probing.probe.__wrapped__() == tool
    tiers["apptainer"] = probing.Absent("apptainer is too old")
    assert probing.probe.__wrapped__().reason == "bubblewrap is shut; apptainer is too old"
    monkeypatch.setattr(probing.shutil, "which", lambda _: None)
    assert probing.probe.__wrapped__().reason == "bubblewrap is shut"
    tiers["bubblewrap"] = probing.Sandbox("bwrap", "0.8", True)
    assert probing.probe.__wrapped__().tool == "bubblewrap"


def test_nothing_is_left_behind(sandbox):
    pool.close()
    before = set(os.listdir("/proc/self/fd"))
    for _ in range(2):
        assert judge(sandbox, Job("def f(): return 1", ("assert f() == 1",), ("f",))).verdict
    pool.close()
    assert set(os.listdir("/proc/self/fd")) == before
    assert not Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()

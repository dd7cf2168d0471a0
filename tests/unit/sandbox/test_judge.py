"""Verdicts, what the test side sees of a program, and how probing says no."""

import os
import pwd
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lemur.sandbox import probe as probing
from lemur.sandbox import seccomp
from lemur.sandbox.judge import Job, Verdict, judge
from lemur.sandbox.policy import INSIDE, Limits, build_command
from lemur.sandbox.process import Confined

sys.path.insert(0, str(INSIDE))
import wire

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.complex_numbers(allow_nan=False)
    | st.text(st.characters())
    | st.binary(),
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(st.integers() | st.text() | st.booleans(), inner)
        | st.frozensets(st.integers() | st.text())
        | st.sets(st.floats(allow_nan=False))
    ),
    max_leaves=20,
)


def same(one, two):
    """Equal, and of the same types all through."""
    if type(one) is not type(two):
        return False
    if isinstance(one, (list, tuple)):
        return len(one) == len(two) and all(map(same, one, two))
    if isinstance(one, dict):
        return list(one) == list(two) and all(same(one[key], two[key]) for key in one)
    return one == two


@given(plain)
def test_plain_data_survives_the_wire(value):
    def never(_):
        raise AssertionError("plain data needs no handle")

    assert same(wire.decode(wire.encode(value, never), never), value)


def test_surrogates_and_special_numbers_survive_the_wire():
    import socket

    one, two = socket.socketpair()
    with one, two:
        for value in ("\ud800 \U0001f600 \0", float("inf"), float("nan"), -0.0, 1 << 200, range(3)):
            wire.send(one.fileno(), wire.encode(value, None))
            back = wire.decode(wire.receive(two.fileno()), None)
            assert repr(back) == repr(value)
        one.close()
        with pytest.raises(wire.Closed):
            wire.receive(two.fileno())


def test_objects_of_a_program_are_used_where_they_are(sandbox):
    program = """
class Node:
    def __init__(self, value): self.value, self.left = value, None
    def __eq__(self, other): return True
def total(node): return node.value + (total(node.left) if node.left else 0)
def squares(n): return (i * i for i in range(n))
def pick(d): return d["a"]
"""
    test = (
        "root = Node(1); root.left = Node(2)",
        "assert total(root) == 3 and root.left.value == 2",
        "assert list(squares(4)) == [0, 1, 4, 9]",
        "assert pick({'a': (1, {2}, b'x', 1.5)}) == (1, {2}, b'x', 1.5)",
        "assert root != Node(1)",
    )
    job = Job(program, test, ("Node", "total", "squares", "pick"))
    assert judge(sandbox, job) == Verdict("passed", "", pytest.approx(0, abs=60))


def test_a_verdict_says_whose_fault_it_is(sandbox):
    raising = Job("def f(x): return [][x]", ("assert f(1) == 1",), ("f",))
    assert judge(sandbox, raising).detail == "IndexError: list index out of range"
    wrong = Job("def f(x): return None", ("assert f(1) + 1 == 2",), ("f",))
    verdict = judge(sandbox, wrong)
    assert (verdict.verdict, verdict.detail[:9]) == ("failed", "TypeError")


def test_trusted_helpers_are_not_the_programs(sandbox):
    """HumanEval/32 checks with ``poly``, which a program could redefine to return 0."""
    program = "def poly(x): return 0\ndef f(): return 99"
    job = Job(program, ("assert poly(f()) == 0",), ("f",), preamble="def poly(x): return x - 1")
    assert judge(sandbox, job).verdict == "failed"


def test_programs_do_not_see_each_other(sandbox):
    first = Job("def f(): return open('/tmp/a', 'w').write('x')", ("assert f() == 1",), ("f",))
    second = Job("import os\ndef f(): return os.path.exists('/tmp/a')", ("assert not f()",), ("f",))
    assert judge(sandbox, first).verdict == "passed"
    assert judge(sandbox, second).verdict == "passed"


def simulate(filtered, number, argument=0, architecture=0xC000003E):
    """What the kernel would do with a system call: a small machine for classic BPF."""
    data = struct.pack("=iIQ6Q", number, architecture, 0, argument, 0, 0, 0, 0, 0)
    lines = list(struct.iter_unpack("=HBBI", filtered))
    at, accumulator = 0, 0
    while True:
        code, yes, no, k = lines[at]
        at += 1
        if code == 0x20:
            accumulator = struct.unpack_from("=I", data, k)[0]
        elif code == 0x06:
            return k
        else:
            hit = {0x15: accumulator == k, 0x35: accumulator >= k, 0x45: bool(accumulator & k)}
            at += yes if hit[code] else no


def test_the_filter_refuses_what_it_lists_and_nothing_else():
    filtered = seccomp.build_filter("x86_64")
    refused, allowed = 0x00050001, 0x7FFF0000
    for name, (number, _) in seccomp.REFUSED.items():
        assert simulate(filtered, number) == refused, name
    listed = {number for number, _ in seccomp.REFUSED.values()} | {435, 41}
    for number in range(450):
        if number not in listed:
            assert simulate(filtered, number) == allowed, number
    assert simulate(filtered, 435) == 0x00050000 | 38  # clone3: ENOSYS
    assert simulate(filtered, 56, 0x10000000 | 17) == refused  # clone with a user namespace
    assert simulate(filtered, 56, 0x003D0F00) == allowed  # a thread
    for family in range(64):  # local sockets and those of its own network, and no other
        wanted = allowed if family in (1, 2, 10) else refused
        assert simulate(filtered, 41, family) == wanted, family
    assert simulate(filtered, 0x40000000 | 101) == refused  # the x32 calling convention
    assert simulate(filtered, 1, architecture=0x40000003) == 0x80000000  # 32-bit: killed
    assert simulate(seccomp.build_filter("aarch64"), 117, architecture=0xC00000B7) == refused
    assert seccomp.build_filter("riscv64") is None


def test_the_root_is_an_allow_list():
    arguments = build_command("bwrap", "runner.py", Limits(), user_namespace=True)
    assert "--bind" not in arguments and "--dev-bind" not in arguments
    assert {"--unshare-net", "--unshare-pid", "--unshare-ipc", "--die-with-parent"} <= {*arguments}
    mounted = [arguments[n + 2] for n, word in enumerate(arguments) if word == "--ro-bind"]
    allowed = ("/usr/lib", "/lib", "/nix/store", "/python/", "/judge/", "/etc/ld.so.cache")
    allowed += ("/usr/share/zoneinfo",)
    assert all(target.startswith(allowed) for target in mounted), mounted


@pytest.mark.parametrize(
    ("found", "version", "words"),
    [
        (None, "", ["not installed", "apt-get install bubblewrap"]),
        ("/usr/bin/bwrap", "bubblewrap 0.6.1", ["0.6.1", "older than 0.8"]),
        ("/usr/bin/bwrap", "nothing", ["--version"]),
    ],
)
def test_a_missing_sandbox_is_named_with_its_install_line(monkeypatch, found, version, words):
    monkeypatch.setattr(probing.shutil, "which", lambda _: found)
    monkeypatch.setattr(
        probing.subprocess,
        "run",
        lambda *_, **__: subprocess.CompletedProcess([], 0, version, ""),
    )
    absent = probing.probe.__wrapped__()
    assert isinstance(absent, probing.Absent)
    assert all(word in absent.reason for word in words), absent.reason
    assert "\n" not in absent.reason


def test_a_sandbox_that_cannot_start_is_not_used(monkeypatch, tmp_path):
    broken = tmp_path / "bwrap"
    broken.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo bubblewrap 0.9.0 && exit 0\n'
        "echo 'bwrap: setting up uid map: Permission denied' >&2; exit 1\n"
    )
    broken.chmod(0o755)
    monkeypatch.setattr(probing.shutil, "which", lambda _: str(broken))
    absent = probing.probe.__wrapped__()
    assert isinstance(absent, probing.Absent)
    assert "setting up uid map: Permission denied" in absent.reason


def test_a_sandbox_that_keeps_nothing_in_is_not_used(monkeypatch):
    """Probing must look at what comes out, not only at whether it starts."""
    verdicts = iter([Verdict("passed", "", 0.1), Verdict("failed", "['/root', 'network']", 0.1)])
    monkeypatch.setattr("lemur.sandbox.probe.judge", lambda *_: next(verdicts))
    reason = probing._proved(probing.Sandbox("bwrap", "0.9", True))
    assert reason is not None and "/root" in reason


def test_an_ordinary_user_has_a_sandbox_too(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("root: only root can become another user")
    python = next(
        (path for path in ("/usr/bin/python3", "/usr/local/bin/python3") if Path(path).exists()),
        None,
    )
    if python is None or shutil.which("bwrap") is None:
        pytest.skip("sandbox: no interpreter outside root's home")
    copied = tmp_path / "lemur"
    source = INSIDE.parents[1]
    shutil.copytree(source / "sandbox", copied / "sandbox")
    (copied / "__init__.py").touch()
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == 0 and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
        if folder == Path("/tmp"):
            break
    program = f"""
import sys; sys.path.insert(0, {str(tmp_path)!r})
from lemur.sandbox.probe import probe
from lemur.sandbox.judge import Job, judge, Limits
found = probe()
print(found)
if hasattr(found, "user_namespace"):
    fork = "import os\\ndef f():\\n    while True: os.fork()"
    print(judge(found, Job(fork, ("assert f() == 1",), ("f",)), Limits(cpu_seconds=1)).verdict)
"""
    nobody = pwd.getpwnam("nobody").pw_uid
    shown = subprocess.run(
        [python, "-c", program],
        user=nobody,
        group=nobody,
        extra_groups=[],
        capture_output=True,
        text=True,
        cwd="/",
        env={"PATH": os.environ["PATH"]},
    )
    if "Absent" in shown.stdout:
        pytest.skip(f"sandbox: {shown.stdout.strip()}")
    assert "user_namespace=True" in shown.stdout, shown
    assert shown.stdout.split()[-1] in ("forbidden", "timeout"), shown


def test_what_is_still_prepared_is_not_full():
    """On a busy machine the watch looks at a sandbox whose root is the host's still."""
    early = Confined.__new__(Confined)
    early.watched, early._first = False, os.getpid()
    assert early.overfull(Limits(files=0, tmp_mb=0)) is None


def test_a_system_that_closes_user_namespaces_is_told_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(probing, "CLOSED", tmp_path / "restricted")
    assert probing._advice() == ""
    (tmp_path / "restricted").write_text("1\n")
    assert "sysctl kernel.apparmor_restrict_unprivileged_userns=0" in probing._advice()
    (tmp_path / "restricted").write_text("0\n")
    assert probing._advice() == ""

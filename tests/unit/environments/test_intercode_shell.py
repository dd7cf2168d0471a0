"""Actions of a shell run in sandboxes of their own, and only the episode's files persist."""

import contextlib
import subprocess
import time
from random import Random

import pytest
from lemur.agents.intercode import shell, state
from lemur.agents.intercode.session import Session
from lemur.agents.intercode.similarity import similarity
from lemur.agents.intercode.state import Entry
from sklearn.feature_extraction.text import TfidfVectorizer
from unit.environments.intercode_cases import needs_shell


def argv(command):
    return ["/bin/bash", "-c", command]


def bash(command, before=None, folder="/"):
    needs_shell()
    return shell.run(before or shell.base(), ["/bin/bash", "-c", command], folder)


def test_files_persist_and_nothing_else_does():
    made = bash(
        "mkdir -p /a/b; echo one > /a/b/x; ln /a/b/x /a/y; ln -s b/x /a/z; mkfifo /a/p;"
        "chmod 000 /a/b/x; touch -d 2020-02-02 /a/y; sleep 300 & export LEFT=1; cd /a"
    )
    assert (made.status, made.problem, made.printed) == (0, "", b"")
    shown = bash("ls /a; stat -c %h /a/b/x; readlink /a/z; stat -c %a%y /a/y; pwd; ps -e; env", made.after)  # fmt: skip
    lines = shown.printed.decode().split("\n")
    assert lines[:6] == ["b", "p", "y", "z", "2", "b/x"]
    assert lines[6].startswith("02020-02-02") and lines[7] == "/"
    assert not any("sleep" in line or line.startswith("LEFT") for line in lines)


def test_the_next_shell_is_started_ahead_and_holds_nothing_of_the_episode(monkeypatch):
    needs_shell()
    started, begin = [], shell.start
    monkeypatch.setattr(shell, "start", lambda *_: started.append(begin()) or started[-1])
    with contextlib.closing(Session(shell.base())) as session:
        said = [session.act(f"echo {n} >> /tmp/a; cat /tmp/a", argv)[0] for n in range(2)]
        waiting = session.ahead._next.result()
        waiting.process.process.kill()  # it dies while the model thinks
        waiting.process.process.wait()
        said.append(session.act("cat /tmp/a", argv)[0])
        last = session.ahead._next.result()
    assert said == ["0\n", "0\n1\n", "0\n1\n"]
    # One was started for the first action, one after each, and one for that which had died.
    assert len(started) == 5 and len({id(one.process) for one in started}) == 5
    assert all(one.process.ended() for one in started) and last in started


def test_a_caller_is_called_root_and_is_none():
    shown = bash("id -un; id -u; chown 5 /tmp; echo $?; cat /etc/shadow; ls -A /root | wc -l")
    assert shown.printed.decode().startswith("root\n0\nchown:")
    assert "No such file" in shown.printed.decode() and shown.printed.endswith(b"0\n")


@pytest.mark.parametrize(
    "command",
    [
        "curl -m 2 http://192.0.2.1",
        "python3 -c 'import socket; socket.create_connection((\"192.0.2.1\", 9), timeout=2)'",
        "mount -t tmpfs none /mnt",
        "unshare -r id",
        "touch /usr/x",
        "cat /run/judge/none",
    ],
)
def test_what_is_not_allowed_fails(command):
    shown = bash(f"{command} && echo DONE")
    assert b"DONE" not in shown.printed


@pytest.mark.parametrize(
    ("command", "seconds"),
    [
        (":(){ :|:& };:", 15),
        ("kill -9 -1; sleep 1; echo alive", 15),
        ("rm -rf --no-preserve-root /tmp /etc /var /home", 15),
        pytest.param("dd if=/dev/zero of=/big bs=1M count=500", 30, marks=pytest.mark.long),
        ("for i in $(seq 9000); do : > /tmp/$i; done", 30),
        ("head -c 200000000 /dev/zero", 20),
        pytest.param(
            "python3 -c 'a = [b\"x\" * 2**20 for _ in range(10**6)]'", 40, marks=pytest.mark.long
        ),
    ],
)
def test_harm_is_bounded_and_the_next_action_works(command, seconds):
    began = time.monotonic()
    made = bash(command)
    assert time.monotonic() - began < seconds
    assert len(made.printed) < shell.OUTPUT_BYTES + (1 << 17)
    assert sum(len(each.data) for each in made.after.values()) <= shell.LIMITS.tmp_mb << 20
    assert bash("echo still here", made.after).printed == b"still here\n"


def test_a_command_holds_nothing_of_its_sandbox():
    shown = bash("ls /proc/$$/fd; cat /proc/self/status | grep -E 'CapEff|NoNewPrivs|Seccomp:'; ls /proc | grep -c '^[0-9]'")  # fmt: skip
    lines = shown.printed.decode().split()
    assert lines[:3] == ["0", "1", "2"]
    assert lines[3:9] == ["CapEff:", "0" * 16, "NoNewPrivs:", "1", "Seccomp:", "2"]
    assert int(lines[9]) <= 6


@pytest.mark.long
def test_a_command_that_does_not_end_is_ended():
    made = bash("echo begun; sleep 100")
    assert made.status is None and made.printed == b"begun\n"


def test_an_answer_of_the_sandbox_is_not_believed():
    for entries in (5, [5], [{"path": "../x", "kind": "file", "size": 0}], [{"path": "a//b"}]):
        with pytest.raises(ValueError):
            state.read(entries, b"")
    good = {"path": "a", "kind": "file", "mode": 420, "mtime": 0, "size": 9}
    with pytest.raises(ValueError):
        state.read([good], b"short")
    with pytest.raises(ValueError):
        state.read([good | {"size": 1}] * 2, b"xy")


def file(text, mode=0o644):
    return Entry("file", mode, 0, text.encode())


FOLDER = Entry("folder", 0o755, 0)


def test_status_is_what_git_says(tmp_path):
    before = {"d": FOLDER, "d/a": file("1"), "d/b": file("2"), "d/gone": file("3"), "l": Entry("link", 0o777, 0, b"", "d")}  # fmt: skip
    after = {
        "d": FOLDER, "d/a": file("changed"), "d/b": file("2", 0o755), "d/new": file("n"),
        "e": FOLDER, "e/f": FOLDER, "e/f/x": file("x"), "e/f/y": file("y"), "empty": FOLDER,
        "l": file("no link"), "home": FOLDER, "home/h": file("ignored"), "d/a b": file(""),
        "d/ü": file(""), "d/k": FOLDER, "d/k/z": file(""),
    }  # fmt: skip

    def put(files):
        for path, entry in files.items():
            place = tmp_path / path
            if entry.kind == "folder":
                place.mkdir(exist_ok=True)
            elif entry.kind == "link":
                place.symlink_to(entry.target)
            else:
                place.unlink(missing_ok=True)
                place.write_bytes(entry.data)
                place.chmod(entry.mode)

    def git(*words):
        line = ["git", "-c", "user.name=x", "-c", "user.email=x@y", "-C", str(tmp_path), *words]
        return subprocess.run(line, check=True, capture_output=True, text=True).stdout

    put(before)
    git("init", "-q")
    (tmp_path / ".git/info/exclude").write_text("\n".join(state.IGNORED))
    git("add", "-A")
    git("commit", "-qm", "x")
    (tmp_path / "d/gone").unlink()
    put(after)
    assert sorted(state.status(before, after).splitlines()) == sorted(
        git("status", "--short").splitlines()
    )


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("the cat sat on the mat", "the dog sat", 0.4552018457650675),
        ("alpha beta", "gamma", 0),
        ("7 files", "9 files", 1),
        ("b a c words here", "words here", 1),
        ("Das ist größer_als 12 34", "12 das größer", 0.3563004293331381),
        ("7", "9", 0),  # it raises an error for these two, and the original compares the texts
        ("", "", 1),
    ],
)
def test_similarity_is_that_of_scikit_learn(first, second, expected):
    """TfidfVectorizer of scikit-learn 1.9.1 with its defaults."""
    assert similarity(first, second) == pytest.approx(expected)


def test_similarity_of_random_texts_is_that_of_scikit_learn():
    random = Random(1)
    words = ["ab", "cd", "x", "Efg", "12", "é_1", "7", "ab-cd"]
    for _ in range(50):
        texts = [" ".join(random.choices(words, k=random.randrange(8))) for _ in "ab"]
        try:
            vectors = TfidfVectorizer().fit_transform(texts)
            expected = (vectors @ vectors.T).toarray()[0][1]
        except ValueError:  # no words
            expected = float(texts[0] == texts[1])
        assert similarity(*texts) == pytest.approx(expected)

"""A Python session lives from cell to cell, and nothing of it reaches outside or lives on."""

import os
import threading
import time
from pathlib import Path

import pytest
from lemur.agents.sessions import python
from lemur.agents.sessions.python import PythonSession, Tools


@pytest.fixture
def begin(sandbox):
    made = []

    def session(seconds=20, tools=Tools()):
        made.append(PythonSession(sandbox, seconds, tools))
        return made[-1]

    yield session
    for one in made:
        one.close()


def test_names_live_from_cell_to_cell_and_cells_are_numbered(begin):
    session = begin()
    assert session.run("import numpy as np\na = np.arange(3)").output == ""
    assert session.run("a.sum()").output == "Out[2]: 3\n"
    assert session.run("print('x', a)").output == "x [0 1 2]\n"
    shown = session.run("def f():\n    raise ValueError('no')\nf()").output
    assert "Cell In[4], line 3" in shown and shown.endswith("ValueError: no\n")
    assert "SyntaxError" in session.run("1 +").output
    assert session.run("a[0]").output == "Out[6]: 0\n"
    assert begin().run("a").output.endswith("NameError: name 'a' is not defined\n")


def test_a_cell_is_interrupted_and_its_names_stay(begin):
    session = begin(1)
    session.run("x = 5")
    cell = session.run("import time\nwhile True:\n    time.sleep(0.01)")
    assert cell.output.endswith("TimeoutError: Timed out after 1 seconds.\n") and not cell.ended
    assert "session.py" not in cell.output and "/judge" not in cell.output
    assert session.run("x").output == "Out[3]: 5\n"


def test_more_files_than_there_may_be_end_the_session_however_soon_they_are_made(begin):
    session = begin()
    cell = session.run("for number in range(17_000): open(f'/tmp/{number}', 'w').close()")
    assert (cell.output, cell.ended) == (python.TOO_MANY, True)
    assert session.run("1").output == "Out[1]: 1\n"


def test_a_cell_that_goes_on_is_killed_and_the_next_begins_anew(begin, monkeypatch):
    monkeypatch.setattr(python, "GRACE", 0.5)
    session = begin(1)
    session.run("x = 5")
    cell = session.run("import signal\nsignal.alarm(0)\nwhile True: pass")
    assert cell.ended and "was killed" in cell.output
    assert session.run("1").output == "Out[1]: 1\n"


@pytest.mark.parametrize(
    "code",
    [
        "import os; os._exit(3)",
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "import ctypes; ctypes.string_at(0)",
        # What it writes where answers go is no answer: the size of a message, not JSON, no object.
        "import os; os.write(int(os.environ['LEMUR_CHANNEL']), b'\\xff' * 9)",
        "import os; os.write(int(os.environ['LEMUR_CHANNEL']), b'\\x03\\0\\0\\0xyz')",
        "import os; os.write(int(os.environ['LEMUR_CHANNEL']), b'\\x01\\0\\0\\0[')",
    ],
)
def test_a_cell_that_ends_its_session_is_said(begin, code):
    session = begin()
    assert session.run(code).output == python.ENDED
    assert session.run("2").output == "Out[1]: 2\n"


def test_memory_and_print_are_bounded(begin):
    session = begin(20)
    printed = session.run("for _ in range(10**5): print('y' * 1000)")
    assert len(printed.output) <= 1 << 18 and printed.seconds < 20
    assert "MemoryError" in session.run("a = bytearray(10**11)").output


def test_processes_that_a_cell_leaves_end_with_the_session(begin):
    session = begin()
    mark = f"lemur-left-{os.getpid()}"
    code = f"import subprocess, sys\np = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(99)', {mark!r}], start_new_session=True)\np.pid > 1"
    assert session.run(code).output == "Out[1]: True\n"

    def alive():
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                if mark.encode() in path.read_bytes() and int(path.parent.name) != os.getpid():
                    found.append(path)
            except OSError:
                continue
        return found

    def becomes(wanted):
        until = time.monotonic() + 20
        while bool(alive()) is not wanted and time.monotonic() < until:
            time.sleep(0.05)
        return bool(alive()) is wanted

    assert becomes(True)  # a process that was just begun may not have its words yet
    session.close()
    assert becomes(False)


def test_nothing_is_shared_between_sessions(begin):
    first, second = begin(), begin()
    first.run("open('/tmp/planted', 'w').write('x')\nimport os\nos.environ['PLANTED'] = 'x'")
    shown = second.run(
        "import os\nprint(os.path.exists('/tmp/planted'), os.environ.get('PLANTED'))"
    )
    assert shown.output == "False None\n"
    third = begin()
    first.close()
    assert third.run("import os\nos.path.exists('/tmp/planted')").output == "Out[1]: False\n"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import socket; socket.create_connection(('1.1.1.1', 80), 2)", "Network is unreachable"),
        ("open('/etc/passwd').read()", "No such file"),
        ("open('/site/planted.py', 'w')", "Read-only file system"),
        ("import os; os.listdir('/home')", "No such file"),
        ("import os; os.setuid(0)", "not permitted"),
    ],
)
def test_nothing_outside_is_reached(begin, code, said):
    assert said in begin().run(code).output


def test_the_search_tool_says_what_was_recorded(begin):
    session = begin(tools=Tools(True, {"Li Bai": "a poet"}, "nothing"))
    cell = session.run("print(wikipedia_search('Li Bai'), wikipedia_search(query='x'))")
    assert cell.output == "a poet nothing\n" and cell.searched == ("Li Bai", "x")
    assert "NameError" in begin().run("wikipedia_search('x')").output


def test_sessions_of_several_threads_go_on_side_by_side(begin):
    sessions, found = [begin() for _ in range(4)], {}

    def work(number):
        for turn in range(3):
            found[number, turn] = sessions[number].run(f"x = {number}\nx * {turn}").output

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {(n, t): f"Out[{t + 1}]: {n * t}\n" for n in range(4) for t in range(3)}

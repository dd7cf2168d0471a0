"""InterCode-Bash: the original's messages, parser and reward, and where they fail."""

from dataclasses import replace

import pytest
from lemur.agents import environments
from lemur.agents.environments.intercode_bash import judge, say_command
from lemur.agents.environments.intercode_bash.judge import End
from lemur.agents.environments.intercode_bash.world import split
from lemur.agents.episode import Turn
from lemur.agents.intercode.protocol import Blocked, parse_bash
from lemur.agents.intercode.session import simplify
from lemur.agents.intercode.state import Entry
from lemur.core.errors import UserError
from unit.environments.intercode_cases import gold, needs_shell, original, play, write

TASKS = {
    1: [("How many files are in /t?", "find /t -type f | wc -l"), ("Make /t/new.txt", 'echo "a b" > /t/new.txt')],
    2: [("Change /t/a.txt", "echo X >> /t/a.txt"), ("Say Hello", "echo Hello")],
    3: [("Where?", "cat /t/a.txt")],
    4: [("Lists", "nosuchprogram")],
}  # fmt: skip


@pytest.fixture
def data(tmp_path):
    for number, tasks in TASKS.items():
        items = [{"query": query, "gold": command} for query, command in tasks]
        write(tmp_path / f"data/nl2bash/nl2bash_fs_{number}.json", items)
        entries = [
            {"path": "/t", "type": "directory", "mode": "755"},
            {"path": "/t/a.txt", "type": "file", "mode": "644", "text": "one\n"},
            {"path": "/t/b", "type": "file", "mode": "755", "base64": "/w==", "mtime": "2020-01-01T00:00:00Z"},
        ]  # fmt: skip
        write(tmp_path / f"derived/file_system_{number}.json", {"entries": entries})
    return tmp_path


def load(data, **settings):
    return environments.load("intercode_bash", {"data": data, **settings})


def test_the_first_prompt(data):
    suite = load(data)
    task = suite.tasks()[0]
    system, user = suite.messages(task, "", ())
    assert system["role"] == "system" and "interact with a Bourne Shell system using BASH" in system["content"]  # fmt: skip
    assert user["content"] == 'Query: "How many files are in /t?".\nDo not generate any output or reward.\n'  # fmt: skip
    assert suite.sampling().stops == ("Observation:", "Task:", "Output:")


def test_the_window_keeps_two_and_the_last_messages(data):
    suite = load(data, limit=3)
    info = {"action": "ls", "code": True}
    turns = [Turn("", f"say {n}", 1, "end", f"seen {n}", 0.34, False, info) for n in range(4)]
    messages = suite.messages(suite.tasks()[0], "", turns)
    assert [each["role"] for each in messages] == ["system", "user", "user", "assistant", "user"]
    assert messages[3]["content"] == "ls"  # as it was parsed
    assert messages[4]["content"].startswith("Bourne Shell Output: seen 3\nReward: 0.34\nHere is the query again: ")  # fmt: skip
    assert len(load(data, limit=None).messages(suite.tasks()[0], "", turns)) == 10


@pytest.mark.parametrize(
    ("answer", "paper", "repaired"),
    [
        ("ls -l", "ls -l", "ls -l"),
        ("```bash\nls  /T\n```", "ls /t", "ls  /T"),
        ("```\nLS\n``` and ```sh\nb```", "ls", "LS"),
        ("a\nb", "a b", "a\nb"),
        ("Bash: ls", "ls", "Bash: ls"),
        ("the command: ls", " ls", "the command: ls"),
        ("", "", ""),
        ("``````", "``````", "``````"),
    ],
)
def test_answers_are_read_as_the_original_reads_them(answer, paper, repaired):
    assert parse_bash(answer) == paper
    assert parse_bash(answer, repaired=True) == repaired


def test_an_answer_on_which_the_original_fails_ends_the_episode(data, tmp_path):
    needs_shell()
    with pytest.raises(Blocked):
        parse_bash("Command: ls")
    ((episode, verdict),) = play(load(data), {"1/0": ["Command: ls", "ls"]}, tmp_path)
    assert (episode.end, len(episode.turns), verdict.paper, verdict.strict) == ("no tag", 1, 0, 0)


def test_quotation_marks_end_the_original_quotation():
    assert split('echo "a b"', False) == ["/bin/bash", "-c", "echo a", "b"]
    assert split("awk '{print $1}'", False) == ["/bin/bash", "-c", "awk '{print $1}'"]
    assert split('echo "a', False) is None
    assert split('echo "a', True) == ["/bin/bash", "-c", 'echo "a']


def test_folders_are_resolved_as_the_original_does():
    assert simplify("/", "t") == "/t" and simplify("/t", "..") == "/" and simplify("/t", "/a/./b/../c") == "/a/c"  # fmt: skip
    assert simplify("/t", "") == "/t"


def file(text):
    return Entry("file", 0o644, 0, text.encode())


def test_the_reward_and_its_faults():
    before = {"a.txt": file("1"), "b": file("2")}
    same = End("out put\n", before)
    assert judge.reward(before, same, same) == 1
    other = End("something else", before)
    assert judge.reward(before, other, same) == pytest.approx(0.67)
    assert judge.agrees(before, other, same) == "another output"
    # One file more: 0.01 + round(0.33 * (1 - erf(1)), 2) + 0.33 + 0.33
    more = End("out put\n", before | {"c.txt": file("3")})
    assert judge.reward(before, more, same) == pytest.approx(0.72)
    # New files are compared where there is a dot in their path, and not without one.
    text, wrong = End("", before | {"c.txt": file("3")}), End("", before | {"c.txt": file("4")})
    assert judge.reward(before, wrong, text) == pytest.approx(0.67)
    bare, worse = End("", before | {"c": file("3")}), End("", before | {"c": file("4")})
    assert judge.reward(before, worse, bare) == 1 and "contents: c" in judge.agrees(before, worse, bare)  # fmt: skip
    # Changed files, order, and short words count for nothing.
    first, second = End("", before | {"b": file("x")}), End("", before | {"b": file("y")})
    assert judge.reward(before, first, second) == 1 and "contents: b" in judge.agrees(before, first, second)  # fmt: skip
    assert judge.reward(before, End("7 files", before), End("9 files", before)) == 1
    blank = End("", before | {"c d": file("")})
    assert judge.reward(before, blank, blank) == 0 and judge.agrees(before, blank, blank) == ""
    fails = End("bash: line 1: x: command not found\n", before)
    assert judge.reward(before, fails, fails) == 1 and "fails here" in judge.agrees(before, fails, fails)  # fmt: skip
    malformed = replace(same, output=None)
    assert judge.reward(before, same, malformed) == pytest.approx(0.67)


def test_gold_commands_solve_made_tasks(data, tmp_path):
    needs_shell()
    played = gold(load(data), tmp_path)
    assert [each.end for each, _ in played] == ["solved"] * 6
    assert [verdict.strict for _, verdict in played] == [1, 1, 1, 1, 1, 0]
    assert "nosuchprogram: command not found" in played[-1][1].why


def test_an_episode_of_several_turns(data, tmp_path):
    needs_shell()
    script = {"1/0": ["cd /t", "ls", "cd nowhere", "ls | wc -l"], "2/1": ["```\necho Hello\n```", "echo hello"], "3/0": ["rm /t/a.txt", "cat a.txt"]}  # fmt: skip
    counted, cased, removed = play(load(data, turns=5), script, tmp_path)
    seen = [turn.observation for turn in counted[0].turns]
    assert seen[0] == "No output" and seen[1] == "a.txt\nb\n" and "No such file" in seen[2]
    assert counted[0].end == "solved" and counted[1].strict == 1
    # The original compares in lower case and has lower-cased the command.
    assert cased[0].turns[0].observation == "hello\n" and cased[1].paper == 1
    assert cased[1].strict == 0 and cased[1].why == "another output"
    assert removed[1].paper == 0 and removed[0].end == "out of turns"


def test_a_repaired_world_executes_what_was_said(data, tmp_path):
    needs_shell()
    script = {"2/1": ["```bash\necho Hello\n```"], "1/1": ['```\necho "a b" > /t/new.txt\n```']}
    for episode, verdict in play(load(data, repaired=True), script, tmp_path):
        assert (episode.end, verdict.paper, verdict.strict) == ("solved", 1, 1)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "\x00",
        "\ud800",
        "printf '\\xff'",
        "cd",
        'echo "',
        "x" * 200_000,
        "cd /t && ls",
        "exit 3",
    ],
)
def test_odd_answers_are_observations(data, tmp_path, answer):
    needs_shell()
    ((episode, verdict),) = play(load(data, turns=2), {"3/0": [answer, "cat /t/a.txt"]}, tmp_path)
    assert len(episode.turns) == 2 and len(episode.turns[0].observation) <= 1000
    assert verdict.paper == (0 if answer == "cd /t && ls" else 1)


def test_a_setup_script_is_run_where_there_is_no_list(data, tmp_path):
    needs_shell()
    (data / "derived/file_system_3.json").unlink()
    shipped = load(data).system(3)  # what comes with the code, where the data have neither
    assert shipped["workspace/dir1"].kind == "folder" and "t/a.txt" not in shipped
    script = "mkdir /t; echo made > /t/a.txt; touch -d 2020-01-01 /t/a.txt"
    write(data / "docker/bash_scripts/setup_nl2b_fs_3.sh", script)
    made = load(data).system(3)
    assert made["t/a.txt"].data == b"made\n" and made["t/a.txt"].mtime == 1577836800 * 10**9
    assert made["t"].mtime == load(data).system(1)["t"].mtime and "setup.sh" not in made


def test_task_files_of_another_schema_are_named(data):
    write(data / "data/nl2bash/nl2bash_fs_2.json", [{"query": "q", "gold": 5}])
    with pytest.raises(UserError, match=r"nl2bash_fs_2.json: 0.gold: 5, should be str"):
        load(data).tasks()
    write(data / "data/nl2bash/nl2bash_fs_2.json", "{")
    with pytest.raises(UserError, match="not JSON"):
        load(data).tasks()
    with pytest.raises(UserError, match="no such folder"):
        load(data / "none")


def test_files_are_found_by_a_downloads_manifest(data):
    listed = sorted(data.rglob("*.json"))
    paths = [{"path": str(path.relative_to(data))} for path in listed]
    write(data / "manifest.json", {"files": paths})
    whole, files = load(data).files, load(data / "manifest.json").files
    assert files.find("data/nl2bash/nl2bash_fs_1.json") == whole.find(
        "data/nl2bash/nl2bash_fs_1.json"
    )
    assert files.under("data/nl2bash") == whole.under("data/nl2bash") and files.find("x") is None


def test_times_of_new_files_are_no_difference(data):
    suite = load(data)
    shown = "-rw-r--r-- 1 root root 0 Nov 30 {} x\n"
    assert suite.normalised(shown.format("02:42")) == suite.normalised(shown.format("13:07"))
    assert suite.normalised("a 1:2") == "a 1:2"


def test_some_originals_are_solved_by_their_gold(tmp_path):
    needs_shell()
    suite = load(original())
    tasks = [task for task in suite.tasks() if task.id in ("1/0", "2/5", "3/0", "4/6")]
    assert [verdict.strict for _, verdict in gold(suite, tmp_path, tasks)] == [1] * 4


@pytest.mark.long
def test_all_originals_are_solved_by_their_gold(tmp_path):
    needs_shell()
    suite = load(original())
    assert len(suite.tasks()) == 200
    played = gold(suite, tmp_path)
    assert all(verdict.paper == 1 for _, verdict in played)
    # Two list the root folder, in which /run and /proc are made anew.
    assert sum(verdict.strict for _, verdict in played) >= len(played) - 4


def test_an_action_of_a_log_is_read_as_that_action():
    for action in ("ls -l | wc", "Bash: ls", 'echo "Command: x"', "awk 'a command: b'"):
        assert parse_bash(say_command(action)) == action

"""lemur.core.progress: lines with a share and an estimate."""

from lemur.core.progress import Progress, clock


def test_clock():
    assert [clock(x) for x in (0.4, 59.4, 187, 7500)] == ["0s", "59s", "3m07s", "2h05m"]


def test_progress_shows_share_rate_and_time_left(capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    with Progress("tokenize", 100, "documents") as progress:
        now[0] = 10.0
        progress.add(25, note="file a")
        now[0] = 40.0
        progress.add(75)
    first, *_, last = capsys.readouterr().err.splitlines()
    assert first == "tokenize: 25/100 documents (25%) 2.5 documents/s, 30s left  file a"
    assert last == "tokenize: 100/100 documents (100%) in 40s"


def test_what_an_earlier_run_had_done_does_not_count_as_speed(capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    with Progress("train", 100, "steps", start=50) as progress:
        now[0] = 10.0
        progress.add(10)
    assert "60/100 steps (60%) 1.0 steps/s, 40s left" in capsys.readouterr().err


def test_an_hour_of_suspension_is_forgotten_after_some_lines(capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    with Progress("train", 10_000, "steps") as progress:
        for step in range(2 * Progress.LINES):
            now[0] += 3600 if step == 9 else 5
            progress.add(10)
    *_, last, _ = capsys.readouterr().err.splitlines()
    assert "1,200/10,000 steps (12%) 2.0 steps/s, 1h13m left" in last

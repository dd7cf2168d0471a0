"""A user's mistake is tried once, and what it was stands in Snakemake's last lines."""

import functools
import http.server
import threading

import pytest
from snake import begun, snakemake


@pytest.fixture
def index(tmp_path):
    """A package index that offers another file under the name of a pinned one, and nothing else."""
    page = tmp_path / "index" / "simple" / "virtualenvwrapper" / "index.html"
    page.parent.mkdir(parents=True)
    name = "virtualenvwrapper-6.1.1.tar.gz"
    page.write_text(f'<a href="{name}">{name}</a>')
    page.with_name(name).write_bytes(b"not what was pinned")
    handler = functools.partial(
        http.server.SimpleHTTPRequestHandler, directory=str(tmp_path / "index")
    )
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/simple"
    server.shutdown()


def test_a_wrong_pin_and_a_missing_network_are_tried_once(index, tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    for address, word in ((index, "pinned"), ("http://127.0.0.1:9/simple", "is there a network?")):
        target = "resources/corpora/virtualenvwrapper/part-0-of-1/manifest.json"
        done = snakemake(
            work, "--cores", "2", target, "--config", "recipe=smoke",
            PIP_INDEX_URL=address, PIP_CONFIG_FILE="/dev/null", PIP_EXTRA_INDEX_URL="",
        )  # fmt: skip
        assert done.returncode != 0
        assert begun(work).count("download") == 1, done.stderr
        assert "Trying to restart" not in (work / "logs" / "run.log").read_text()
        last = done.stderr.splitlines()[-1]
        assert last.startswith("error: ") and word in last, done.stderr
        assert last.endswith("[download, logs/download/corpora/virtualenvwrapper/part-0-of-1.log]")

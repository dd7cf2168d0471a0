"""Call Snakemake as a user would, in folders that are checkouts, and read its job table."""

import json
import os
import re
import subprocess
from pathlib import Path

from lemur.core.provenance import ROOT


def snakemake(
    folder: Path, *arguments: str, before: tuple[str, ...] = (), **variables: str
) -> subprocess.CompletedProcess:
    """Run plain ``snakemake`` in ``folder``, which becomes a checkout where it is none.

    ``before``: words of the command line that start it, as in ``("unshare", "-n")``.
    """
    as_checkout(folder)
    command = [*before, "workflow/env-run", "workflow", "snakemake"]
    environment = {**os.environ, "SLURM_CONF": "/dev/null", **variables}
    return subprocess.run(
        [*command, *arguments], cwd=folder, capture_output=True, text=True, env=environment
    )


def as_checkout(folder: Path) -> None:
    """Let ``folder`` be a checkout that shares this one's files and environments."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for name in {".envs", *(path.partition("/")[0] for path in listed.split("\0") if path)}:
        if not (folder / name).exists():
            (folder / name).symlink_to(ROOT / name)


def job_counts(text: str) -> dict[str, int]:
    """{rule: jobs} from the table of a dry run."""
    table = re.search(r"^Job stats:\njob\s+count\n[-\s]+\n(.*?)^total", text, re.M | re.S)
    rows = (line.split() for line in (table.group(1).splitlines() if table else ()))
    return {row[0]: int(row[1]) for row in rows if len(row) == 2}


def begun(folder: Path) -> list[str]:
    """The rules whose jobs the last run in ``folder`` began, as Snakemake's own account has them."""
    text = (folder / "logs" / "run.log").read_text()
    return re.findall(r"^(?:local)?rule (\w+):$", text, re.M)


def planned(folder: Path, *arguments: str) -> dict[str, int]:
    """{rule: jobs} that a dry run would do; empty when there is nothing to be done."""
    done = snakemake(folder, "--dry-run", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    counts = job_counts(done.stdout)
    assert counts or "Nothing to be done" in done.stdout + done.stderr, done.stdout + done.stderr
    return {rule: count for rule, count in counts.items() if rule != "all"}


def values(**changed: object) -> str:
    """``set=...`` for --config: dots are written as double underscores."""
    inside = ", ".join(f"{key.replace('__', '.')}: {value}" for key, value in changed.items())
    return f"set={{{inside}}}"


def reported(folder: Path, *arguments: str) -> tuple[dict, dict]:
    """What ``snakemake --report`` writes of finished files: ``categories``, ``results``.

    categories: {category: {subcategory: paths}}; results: {path: caption (HTML), labels, ...}.
    """
    path = folder / "snakemake-report.html"
    path.unlink(missing_ok=True)
    done = snakemake(folder, *arguments, "--report", str(path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "downloading" not in done.stderr, done.stderr  # its scripts come with the package
    page = path.read_text()
    starts = (
        re.search(rf'<script id="{name}">\s*var {name} = ', page).end()
        for name in ("categories", "results")
    )
    categories, results = (json.JSONDecoder().raw_decode(page, start)[0] for start in starts)
    return categories, results

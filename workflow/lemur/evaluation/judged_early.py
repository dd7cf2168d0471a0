"""Scores of bits per byte, taken by the process that asked the model.

Judging loads lm-eval again, which takes longer than adding up what a model needs for each document: in
a study with hundreds of scores, as long as asking does. The process that has asked has all of it
loaded, so it also judges, and keeps what judging writes in ``responses/judged``. The job that judges
takes that over without loading anything, where nothing that bears on a score has changed since.

Only bits per byte are judged early: no program runs for them, and there is no sandbox to choose.
"""

import dataclasses
import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

from lemur.core import contracts
from lemur.core.errors import UserError
from lemur.core.files import read_json, replacing, sha256_of, write_json
from lemur.core.provenance import digest
from lemur.evaluation.spec import BenchmarkSpec, SandboxSpec
from lemur.evaluation.verdicts import FILE

FILES = ("scores.json", FILE, "prompt.txt")  # what judging writes
KEY = "key.json"
Judge = Callable[[BenchmarkSpec, Path, Path, Path], None]  # lemur.evaluation.judging.run


def key_of(spec: BenchmarkSpec, generations: str, data: Path, code: dict[str, str]) -> str:
    """Digest of everything that decides a score. ``generations``: their sha256; ``code``: what turns
    data and answers into scores. Where programs are run (``sandbox``) bears on no bits per byte."""
    asked = contracts.plain(dataclasses.replace(spec, sandbox=SandboxSpec()))
    return digest(
        {"spec": asked, "generations": generations, "data": sha256_of(data), "code": code}
    )


def _folder(generations: Path) -> Path:
    """Where the scores wait; a folder that no workflow engine deletes."""
    return generations.parent / "responses" / "judged"


def store(
    spec: BenchmarkSpec,
    made: bytes,
    generations: Path,
    data: Path,
    code: dict[str, str],
    judge: Judge,
) -> None:
    """Judge ``made``, the bytes of ``generations``, which its own job has yet to write. What cannot be
    judged here is left to the job that judges, whose error it is."""
    folder = _folder(generations)
    (folder / KEY).unlink(missing_ok=True)
    asked = folder / generations.name
    with replacing(asked) as temporary:
        temporary.write_bytes(made)
    try:
        judge(spec, asked, data, folder / FILES[0])
    except UserError:
        return
    finally:
        asked.unlink()
    write_json(
        folder / KEY,
        {
            "key": key_of(spec, hashlib.sha256(made).hexdigest(), data, code),
            "files": {name: sha256_of(folder / name) for name in FILES},
        },
    )


def take(
    spec: BenchmarkSpec, generations: Path, data: Path, out: Path, code: dict[str, str]
) -> bool:
    """Write ``out`` (scores.json) and what stands beside it from what was judged early; whether that
    is there, whole, and of the same answers, settings, data and code."""
    folder = _folder(generations)
    try:
        found = read_json(folder / KEY)
        whole = all(sha256_of(folder / name) == found["files"][name] for name in FILES)
        same = whole and found["key"] == key_of(spec, sha256_of(generations), data, code)
    except (UserError, OSError, KeyError, TypeError):
        return False
    if not same:
        return False
    for name in reversed(FILES):  # scores.json, by which a score is known to be there, is last
        with replacing(out if name == FILES[0] else out.parent / name) as temporary:
            shutil.copyfile(folder / name, temporary)
    return True

"""Take an existing model, token file or score over as a stage's result: what `snakemake adopt` runs.

    python -m lemur.trace.adopt --of PATH --as STAGE --by WHO --asked JSON

Files are copied, since a result must not change with what it was taken from. Records say that it was
adopted, from where and by whom; DONE.json, whose hash later stages see, says the first alone.
"""

import argparse
import json
import os
import shutil
from pathlib import Path

from lemur.core.command import guarded
from lemur.core.contracts import plain, read
from lemur.core.errors import UserError
from lemur.core.files import read_json, replacing, sha256_of, write_json
from lemur.core.progress import Progress
from lemur.core.provenance import Record
from lemur.core.run_lock import RunLock
from lemur.trace import adopted
from lemur.trace.adoptable import Asked, Place, place_of


def adopt(given: Path, stage: str, by: str, asked: Asked) -> str:
    """Check, copy, record, and say in a line what stands where."""
    if not given.exists():
        raise UserError(f"of={given}: no such file or folder")
    place, record = place_of(stage, asked), Record()
    files = place.check(given)
    targets = _copy(files, place)
    done = stage in ("pretrain", "sft")
    if done:
        targets = [*_describe(place.folder, given, stage), place.folder / "metrics.jsonl"]
    about = adopted.Adopted(str(given), by)
    outputs = [*targets, place.folder / "model"] if done else targets
    checked = {
        "recipe": asked.recipe,
        "base": asked.base,
        "architecture": plain(asked.architecture),
    }
    record.write(outputs, [], {"adopted": plain(about), "as": stage, **checked})
    adopted.add([str(path) for path in targets], about)
    said = f"adopted {given} as {place.folder}: its rule does not make it again"
    if done and not (place.folder / "metrics.jsonl").stat().st_size:
        said += "; it came without metrics.jsonl, which the loss figure and the report need"
    return said


def _copy(files: dict[str, Path], place: Place) -> list[Path]:
    """Copies, each whole under its name or not there; a model folder is swapped in whole."""
    folder = place.folder
    folder.mkdir(parents=True, exist_ok=True)
    partial, is_model = folder / ".model.partial", any(name.startswith("model/") for name in files)
    if is_model:
        (folder / "DONE.json").unlink(missing_ok=True)
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
    size = sum(path.stat().st_size for path in files.values())
    try:
        with Progress("adopt", size / 1e6, "MB") as progress:
            for name, path in sorted(files.items()):
                inside = name.startswith("model/")
                target = partial / Path(name).name if inside else folder / name
                with replacing(target) as temporary:
                    shutil.copyfile(path, temporary)
                progress.add(path.stat().st_size / 1e6, name)
        if is_model:
            shutil.rmtree(folder / "model", ignore_errors=True)
            os.rename(partial, folder / "model")
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    if is_model and "metrics.jsonl" not in files:
        (folder / "metrics.jsonl").write_text("")
    return sorted(folder / name for name in files if not name.startswith("model/"))


def _describe(folder: Path, given: Path, stage: str) -> list[Path]:
    """DONE.json as training writes it, as far as it is known of what somebody else trained."""
    root = given if (given / "model" / "config.json").is_file() else given.parent
    known = read_json(root / "DONE.json") if (root / "DONE.json").is_file() else {}
    files = {path.name: sha256_of(path) for path in sorted((folder / "model").iterdir())}
    kept = {key: value for key, value in known.items() if key != "files"}
    same = known.get("files", {}) == files  # else it describes another model than this
    described = {
        "kind": {"pretrain": "pretrained", "sft": "chat"}[stage],
        "description": f"adopted as {stage}: {given.name}",
        "licence": "unknown",
        **(kept if same else {}),
        "adopted": True,
        "files": files,
    }
    write_json(folder / "DONE.json", described)
    return [folder / "DONE.json"]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--of", type=Path, required=True)
    parser.add_argument("--as", dest="stage", required=True)
    parser.add_argument("--by", required=True)
    parser.add_argument("--asked", type=json.loads, required=True)
    args = parser.parse_args()
    lock = RunLock()
    lock.take()
    print(adopt(args.of, args.stage, args.by, read(Asked, args.asked, "--asked")))
    lock.release()


if __name__ == "__main__":
    guarded(main)

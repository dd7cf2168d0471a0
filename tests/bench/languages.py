"""Languages of files as this project names them, beside Linguist's data: see reports/bench/filters.md.

apt-get source --download-only PACKAGE ...       # those that the page lists, in ARCHIVES
python -m venv VENV && VENV/bin/pip install enry-python==0.2.0
VENV/bin/python tests/bench/languages.py draw ARCHIVES SAMPLE.json
workflow/env-run data python tests/bench/languages.py compare SAMPLE.json
"""

import argparse
import json
import random
import sys
import tarfile
from collections import Counter, defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow"))

from lemur.corpus.languages import EXTENSIONS, KNOWN, by_column, recognise_language
from lemur.corpus.shared_extensions import SHARED

SEED, FILES = 9, 10_000
A_PACKAGE = 250  # files of one extension that are looked at in a package
A_SHARED, ANOTHER = 900, 450  # files of an extension that several languages share, and of others
LARGEST_ARCHIVE = 60_000_000
SIZES = range(201, 60_000)
OURS = {extension for extensions in EXTENSIONS.values() for extension in extensions.split()}
# Names of Linguist that its data has no column for in data sets.
ALSO = {
    "fortran free form": "fortran",
    "motorola 68k assembly": "assembly",
    "vim help file": "text",
}


def _pool(archives: Path) -> dict[str, list[tuple[str, str]]]:
    """(path, text) of files by extension, package after package."""
    pool: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for archive in sorted(archives.glob("*.orig*.tar.*")):
        if archive.suffix == ".asc" or archive.stat().st_size > LARGEST_ARCHIVE:
            continue
        seen: Counter[str] = Counter()
        with tarfile.open(archive) as opened:
            for member in opened:
                name = member.name.rsplit("/", 1)[-1]
                extension = name.rsplit(".", 1)[-1].lower() if "." in name else ""
                if not member.isfile() or member.size not in SIZES or extension not in OURS:
                    continue
                seen[extension] += 1
                if seen[extension] <= A_PACKAGE:
                    data = opened.extractfile(member).read()
                    try:
                        text = data.decode()
                    except UnicodeDecodeError:
                        continue
                    if "\0" not in text:
                        pool[extension].append((member.name, text))
    return pool


def draw(archives: Path, sample: Path) -> None:
    """Write [path, Linguist's language, text] of the drawn files."""
    import enry

    random.seed(SEED)
    chosen = []
    for extension, files in _pool(archives).items():
        random.shuffle(files)
        chosen += files[: A_SHARED if extension in SHARED else ANOTHER]
    random.shuffle(chosen)
    rows = [
        (path, enry.get_language(path.rsplit("/", 1)[-1], text.encode()), text)
        for path, text in chosen[:FILES]
    ]
    sample.write_text(json.dumps(rows))


def compare(sample: Path) -> None:
    """Print how often both name the same, and every kind of difference with its count."""
    agree, differ = Counter(), Counter()
    for path, named, text in json.loads(sample.read_text()):
        ours = recognise_language(path, text)
        theirs = ALSO.get((named or "").lower()) or by_column(named or "")
        agree[ours == (theirs if theirs in KNOWN else None), ours is None] += 1
        if ours != (theirs if theirs in KNOWN else None):
            differ[path.rsplit(".", 1)[-1].lower(), str(ours), str(named)] += 1
    for kind, count in differ.most_common():
        print(count, *kind)
    same = agree[True, True] + agree[True, False]
    print(
        f"agree {same} of {agree.total()}; named here, another or none there {agree[False, False]}"
    )
    print(f"none here, named there {agree[False, True]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    steps = parser.add_subparsers(dest="step", required=True)
    drawing = steps.add_parser("draw")
    drawing.add_argument("archives", type=Path)
    drawing.add_argument("sample", type=Path)
    steps.add_parser("compare").add_argument("sample", type=Path)
    args = parser.parse_args()
    if args.step == "draw":
        draw(args.archives, args.sample)
    else:
        compare(args.sample)


if __name__ == "__main__":
    main()

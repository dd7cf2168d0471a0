"""Headers of licences as this project reads them, beside scancode: what reports/bench/filters.md says.

    apt-get source --download-only qemu mesa octave swi-prolog gnustep-base kamailio godot  # in ARCHIVES
    python tests/bench/headers.py draw ARCHIVES --out HEADS
    python -m venv VENV && VENV/bin/pip install scancode-toolkit==32.5.0
    VENV/bin/python tests/bench/headers.py scancode HEADS                    # a quarter of an hour or more
    python tests/bench/headers.py compare HEADS

All but scancode run in the environment "data" (workflow/env-run data python ...).
"""

import argparse
import json
import random
import re
import tarfile
from collections import Counter
from pathlib import Path

SEED = 4
HEAD = 3_000  # bytes of a file that are looked at
# Headers drawn from each package's source archive.
COUNTS = {"qemu": 120, "mesa": 95, "octave": 65, "swi-prolog": 65, "gnustep-base": 55}
COUNTS |= {"kamailio": 55, "godot": 45}
_ENDINGS = """c h cc cpp hpp py pl m rb sh js java go s inc lua r f f90 cs ts php scm el pm hs rs sql v
vhd tex sty css ps1 erl ml jl cmake mk y l td"""
ENDINGS = frozenset(_ENDINGS.split())
SPEAKS = re.compile(rb"licen[sc]e|copyright|spdx|public domain|GPL", re.IGNORECASE)


def _heads(archive: Path) -> list[tuple[str, bytes]]:
    """(name, first bytes) of the archive's source files that speak of a licence, in its order."""
    found = []
    with tarfile.open(archive) as opened:
        for member in opened:
            ending = Path(member.name).suffix[1:].lower()
            if member.isfile() and 200 <= member.size <= 400_000 and ending in ENDINGS:
                head = opened.extractfile(member).read()[:HEAD]
                if SPEAKS.search(head):
                    found.append((member.name, head))
    return found


def draw(archives: Path, out: Path) -> None:
    """Write the drawn headers into ``out``, each as a file of its own."""
    random.seed(SEED)
    out.mkdir(parents=True, exist_ok=True)
    number = 0
    for package, count in COUNTS.items():
        (archive,) = (p for p in archives.glob(f"{package}_*.orig.tar.*") if p.suffix != ".asc")
        found = _heads(archive)
        random.shuffle(found)
        for name, head in found[:count]:
            path = out / f"{number:04d}{Path(name).suffix.lower()}"
            path.write_text(head.decode("utf-8", "ignore"), encoding="utf-8")
            number += 1
    print(f"{number} headers")


def scancode(heads: Path) -> None:
    """What scancode finds in each, into ``scancode.json``; files that it holds already are passed."""
    from scancode.api import get_licenses

    out = heads / "scancode.json"
    found = json.loads(out.read_text()) if out.exists() else {}
    for path in sorted(heads.glob("[0-9]*")):
        if path.name not in found:
            made = get_licenses(str(path), min_score=0)
            found[path.name] = made["detected_license_expression_spdx"]
            out.write_text(json.dumps(found, indent=1))


def compare(heads: Path) -> None:
    """Print how many headers each of the two calls restricted, and those on which they differ."""
    from lemur.corpus.licence_headers import read_header
    from lemur.corpus.licences import PERMISSIVE, allowed

    counts: Counter[tuple[bool, bool]] = Counter()
    for name, expression in json.loads((heads / "scancode.json").read_text()).items():
        tags, words = read_header((heads / name).read_text(encoding="utf-8"))
        ours = words or bool(tags and not allowed(tags, PERMISSIVE))
        named = (expression or "").replace("scancode-public-domain", "Public-Domain")
        theirs = bool(named) and not allowed(named, PERMISSIVE)
        counts[ours, theirs] += 1
        if ours != theirs:
            print(f"{name}: {'only this project' if ours else 'only scancode'}: {expression}")
    both, neither = counts[True, True], counts[False, False]
    print(f"both {both}, neither {neither}, only scancode {counts[False, True]}, ", end="")
    print(f"only this project {counts[True, False]}, agree {both + neither} of {counts.total()}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=["draw", "scancode", "compare"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, help="draw: where the headers go")
    args = parser.parse_args()
    if args.step == "draw":
        draw(args.folder, args.out)
    else:
        {"scancode": scancode, "compare": compare}[args.step](args.folder)


if __name__ == "__main__":
    main()

"""python -m lemur.config.new_project FOLDER

Make a project of one's own: a recipe, a corpus and sources with their explanations, and sample
documents (this repository's own pages and modules) on which it runs as it stands.
"""

import argparse
import re
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lemur.config import names, place
from lemur.core.command import guarded
from lemur.core.errors import UserError
from lemur.core.provenance import ROOT

TEMPLATES = ROOT / "workflow" / "templates" / "project"
# What stands for the user's own documents until they are there. Both are Apache-2.0.
PAGES = ("README.md", "config/README.md", "CHANGELOG.md", "docs/*.md", "docs/how-to/*.md")
MODULES = (
    "workflow/lemur/corpus/*.py",
    "workflow/lemur/data/*.py",
    "workflow/lemur/evaluation/*.py",
)
LONGEST = 2_000  # characters of a sample page; longer sections are cut between paragraphs


def make_project(folder: Path) -> list[str]:
    """Fill ``folder``, which must not be there yet, whole or not at all; returns what it now holds.

    The recipe is called as the folder is. Raises ``UserError``.
    """
    name = names.plain(folder.name, "recipe")
    place.check(folder.absolute())
    if folder.exists() or folder.is_symlink():
        raise UserError(f"name: {folder} is there already: choose another name")
    if not folder.parent.is_dir():
        raise UserError(f"name: {folder}: there is no folder {folder.parent}")
    if folder.absolute().resolve().is_relative_to(ROOT / "config"):
        raise UserError(
            f"name: {folder}: lies in config/: name a folder outside, such as ../{name}"
        )
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{name}.") as temporary:
        made = Path(temporary) / name
        for template in sorted(TEMPLATES.rglob("*.yaml")):
            target = made / template.relative_to(TEMPLATES)
            if template.stem in ("recipe", "corpus"):
                target = target.with_stem(name)
            target.parent.mkdir(parents=True, exist_ok=True)
            text = template.read_text(encoding="utf-8").replace("@NAME@", name)
            target.write_text(text, encoding="utf-8")
        _write_samples(made / "documents")
        made.rename(folder)
    files = sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )
    return files


def _write_samples(folder: Path) -> None:
    for kind in ("text", "code"):
        (folder / kind).mkdir(parents=True)
    for path in (path for glob in PAGES for path in sorted(ROOT.glob(glob))):
        for number, text in enumerate(_sections(path.read_text(encoding="utf-8")), 1):
            stem = "-".join(path.relative_to(ROOT).with_suffix("").parts).lower()
            (folder / "text" / f"{stem}-{number:02d}.md").write_text(text, encoding="utf-8")
    for path in (path for glob in MODULES for path in sorted(ROOT.glob(glob))):
        target = folder / "code" / path.relative_to(ROOT / "workflow" / "lemur")
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(path, target)


def _sections(page: str) -> Iterator[str]:
    """A page's sections, the longer ones in pieces of whole paragraphs."""
    for section in re.split(r"^(?=#{1,3} )", page, flags=re.M):
        piece = ""
        for paragraph in section.split("\n\n"):
            if piece and len(piece) + len(paragraph) > LONGEST:
                yield f"{piece.strip()}\n"
                piece = ""
            piece += f"{paragraph}\n\n"
        if piece.strip():
            yield f"{piece.strip()}\n"


def _run() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder.expanduser()
    files = make_project(folder)
    samples = [file for file in files if file.startswith("documents/")]
    print(
        f"{folder}: {', '.join(sorted(set(files) - set(samples)))}, and {len(samples)} sample documents"
    )
    given = shlex.quote(f"recipe={folder / folder.name}.yaml")
    print(f"run it: snakemake --cores 2 --config {given}")


if __name__ == "__main__":
    guarded(_run)

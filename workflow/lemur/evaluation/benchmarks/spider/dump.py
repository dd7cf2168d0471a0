"""The databases of Spider's dev set, from the one dump that InterCode keeps of them."""

import functools
from pathlib import Path

from lemur.core.errors import UserError
from lemur.evaluation.benchmarks.spider.databases import Database, read
from lemur.evaluation.source import Source

DUMP = "data/sql/spider/ic_spider_dbs.sql"


@functools.cache
def databases(source: Path) -> dict[str, Database]:
    """Databases of a dump on disk, read once a process."""
    try:
        return read(source.read_text(encoding="utf-8"), str(source))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{source}: cannot be read ({error})") from None


def read_dump(source: Source) -> dict[str, Database]:
    """Databases beside the questions of ``source``."""
    for path in source.files:
        if path.name == DUMP.rsplit("/", 1)[-1]:
            return databases(source.checked(path))
    raise UserError(f"{source.path}: no file '{DUMP}'")

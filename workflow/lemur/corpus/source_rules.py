"""What one source and corpus want of a document, asked before anything of it is rewritten."""

import fnmatch
import re
from collections import Counter
from collections.abc import Sequence

from lemur.corpus import filters, languages, licence_headers, licence_texts, licences
from lemur.corpus.candidates import Candidate
from lemur.corpus.examples import Examples
from lemur.corpus.filters import Cleaning
from lemur.corpus.spec import CleanedSource


def globs(patterns: Sequence[str] | None) -> re.Pattern[str] | None:
    """One expression for a list of globs in which ``*`` matches ``/`` too; None for no list."""
    if not patterns:
        return None
    return re.compile("|".join(fnmatch.translate(pattern) for pattern in patterns))


class Rules:
    """What one source and corpus want of a document, ready to be asked many times."""

    def __init__(self, source: CleanedSource, cleaning: Cleaning):
        self.source, self.cleaning = source, cleaning
        self.prose = source.kind == "text"
        self.include, self.exclude = globs(source.include), globs(source.exclude)
        declared = source.languages
        languages.check(source.name, declared)
        every = languages.PROSE if self.prose else languages.CODE
        self.languages = frozenset(declared or every)
        self.sole = declared[0] if declared and len(declared) == 1 else None
        self.licences = frozenset(cleaning.licences) or licences.PERMISSIVE
        if source.licence == licences.OWN:
            self.licences |= {licences.OWN_REFERENCE}
        self.examples = Examples()
        self.redacted: dict[str, Counter[str]] = {
            kind: Counter(documents=0, replaced=0) for kind in cleaning.redact
        }
        # Data sets' rows have a path only where a column gives it.
        by_file = (source.format or "archive") in ("archive", "files")
        self.has_paths = by_file or bool(source.path_field)

    def unread(self, found: Candidate) -> str | None:
        """The reason that needs no content, so that nothing is read for it."""
        path = found.path
        if found.link:
            return "link"
        if self.include and not self.include.match(path):
            return "not_included"
        if self.exclude and self.exclude.match(path):
            return "excluded"
        if licence_texts.is_licence_file(path):
            return "licence_text"
        reason = filters.by_path(path)
        if reason:
            return reason
        if self.has_paths and not found.language:
            if languages.has_unknown_extension(path):
                return "other_type"
            possible = languages.by_name(path)
            if possible and not self.languages & possible:
                return "other_language"
        if found.no_text:
            return "not_text"
        if found.size < self.cleaning.min_bytes:
            return "too_short"
        return "over_long" if found.size > self.cleaning.max_bytes else None

    def language(self, found: Candidate, text: str) -> str | None:
        """The document's language: its column's, its path's and content's, or the only one wanted."""
        if found.language:
            return languages.by_column(found.language)
        recognised = languages.recognise_language(found.path, text) if self.has_paths else None
        return recognised or (
            None if self.has_paths else self.sole or ("text" if self.prose else None)
        )

    def licence(self, found: Candidate, text: str) -> tuple[str | None, str | None]:
        """(licence, None) or (None, reason): a file's own SPDX line wins over its package's."""
        if found.licence is None:
            return None, "nested_licence"
        permitted = licences.allowed(found.licence, self.licences)
        if self.prose and permitted:
            return found.licence, None
        stated, copyleft = licence_headers.read_header(text)
        if self.prose:
            return None, "licence_header" if stated else "licence"
        if copyleft:
            return None, "licence_header"
        licence = stated or found.licence
        if not (
            permitted if licence == found.licence else licences.allowed(licence, self.licences)
        ):
            return None, "licence_header" if stated else "licence"
        return licence, None

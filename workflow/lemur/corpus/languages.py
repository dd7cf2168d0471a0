"""Which language a file is written in: by name, then its ``#!`` line, then its content."""

import re
from collections.abc import Iterable

from lemur.core.errors import UserError, nearest
from lemur.corpus import shared_extensions

# Programming languages by extension. Data (json, yaml, po, csv) is not code to train on.
EXTENSIONS = {
    "python": "py pyi pyx pxd",
    "javascript": "js mjs cjs jsx",
    "typescript": "ts tsx mts cts",
    "sql": "sql ddl pgsql plsql",
    "shell": "sh bash zsh ksh bats",
    "c": "c h",
    "cpp": "cc cpp cxx hpp hh hxx ipp",
    "csharp": "cs",
    "java": "java",
    "kotlin": "kt kts",
    "scala": "scala",
    "go": "go",
    "rust": "rs",
    "swift": "swift",
    "ruby": "rb rake gemspec",
    "php": "php",
    "perl": "pl pm t",
    "lua": "lua",
    "r": "r",
    "julia": "jl",
    "haskell": "hs",
    "ocaml": "ml mli",
    "fsharp": "fs fsi fsx",
    "elixir": "ex exs",
    "erlang": "erl hrl",
    "clojure": "clj cljs cljc edn",
    "lisp": "lisp el scm",
    "fortran": "f f90 f95 f03 f08 for",
    "matlab": "m",
    "powershell": "ps1 psm1",
    "dart": "dart",
    "css": "css scss sass less",
    "html": "html htm",
    "svelte": "svelte",
    "vue": "vue",
    "makefile": "mk mak",
    "cmake": "cmake",
    "assembly": "s asm",
    "tex": "tex sty cls",
    "verilog": "v sv vh",
    "vhdl": "vhd vhdl",
    "cuda": "cu cuh",
    "zig": "zig",
    "nix": "nix",
    "jinja": "j2 jinja jinja2",
    # Prose and technical text
    "text": "txt",
    "rst": "rst",
    "markdown": "md markdown",
}
_BY_EXTENSION = {
    extension: language for language, listed in EXTENSIONS.items() for extension in listed.split()
}
_BY_NAME = {
    "makefile": "makefile",
    "gnumakefile": "makefile",
    "dockerfile": "dockerfile",
    "cmakelists.txt": "cmake",
    "rakefile": "ruby",
    "gemfile": "ruby",
    "sconstruct": "python",
    "wscript": "python",
    ".bashrc": "shell",
    ".profile": "shell",
    "pkgbuild": "shell",
    "readme": "text",
}
_INTERPRETERS = {
    "sh": "shell",
    "bash": "shell",
    "dash": "shell",
    "zsh": "shell",
    "ksh": "shell",
    "ash": "shell",
    "bats": "shell",
    "python": "python",
    "pypy": "python",
    "node": "javascript",
    "nodejs": "javascript",
    "deno": "typescript",
    "ts-node": "typescript",
    "perl": "perl",
    "ruby": "ruby",
    "lua": "lua",
    "php": "php",
    "rscript": "r",
    "julia": "julia",
    "make": "makefile",
    "pwsh": "powershell",
}
PROSE = frozenset({"text", "rst", "markdown"})
# What "every language" means for a code source: not prose, and not markup or templates.
MARKUP = frozenset({"css", "html", "tex", "jinja"})
CODE = frozenset(EXTENSIONS) - PROSE - MARKUP | {"dockerfile"}
KNOWN = CODE | PROSE | MARKUP

# What data sets' columns call them, beside the names above: Linguist's names, and those of The Stack;
# separated by commas, since some are of several words.
_ALSO_CALLED = {
    "assembly": "unix assembly",
    "cpp": "c++",
    "csharp": "c#,c-sharp",
    "css": "scss,sass,less",
    "fsharp": "f#,f-sharp",
    "go": "golang",
    "html": "html+erb",
    "javascript": "js,jsx,node",
    "jinja": "jinja2",
    "lisp": "common lisp,common-lisp,emacs lisp,emacs-lisp,scheme,racket,newlisp",
    "markdown": "md",
    "matlab": "octave",
    "python": "py,python3,cython",
    "rst": "restructuredtext",
    "ruby": "rb",
    "rust": "rs",
    "shell": "bash,sh,zsh",
    "sql": "plsql,plpgsql,tsql,sqlpl",
    "tex": "latex",
    "text": "plain text",
    "typescript": "ts,tsx",
    "verilog": "systemverilog",
}
_CALLED = {name: name for name in KNOWN}
for _language, _names in _ALSO_CALLED.items():
    _CALLED |= dict.fromkeys(_names.split(","), _language)


def check(source: str, names: Iterable[str] | None) -> None:
    """``UserError`` where a source names a language that is not known."""
    for name in names or ():
        if name not in KNOWN:
            raise UserError(f"{source}: languages: {name!r} is unknown{nearest(name, KNOWN)}")


def by_column(name: str) -> str:
    """The language that a data set's column names: ``C++`` is ``cpp``; else the name in lower case."""
    return _CALLED.get(name.strip().lower(), name.strip().lower())


_MODELINE = re.compile(
    r"-\*-.*?(?:mode:\s*)?([A-Za-z+#-]+)\s*(?:;.*?)?-\*-|\b(?:ft|filetype)=(\w+)"
)
_MODES = {"sh": "shell", "shell-script": "shell", "c++": "cpp", "js": "javascript"} | {
    language: language for language in KNOWN
}
# Lines that hardly any other language has; three of one kind and none of another decide.
_SIGNS = {
    "python": re.compile(r"^(?:\s*def \w+\(.*\).*:|from [\w.]+ import |import \w+$)", re.M),
    "shell": re.compile(
        r"^\s*(?:fi|done|esac|then|if \[\[? .*; then|set -[eux]+|export \w+=|local \w+=|\w+ ?\(\) ?\{)",
        re.M,
    ),
    "sql": re.compile(r"^\s*(?:CREATE (?:TABLE|VIEW|INDEX)|INSERT INTO|ALTER TABLE|SELECT) ", re.M),
    "javascript": re.compile(r"^(?:(?:const|let|var) \w+ = |.*=> \{$|\}\);$)", re.M),
    "perl": re.compile(r"^(?:use strict;|use warnings;|my [$@%]\w+|sub \w+ \{)", re.M),
}


def _extension(path: str) -> tuple[str, str]:
    name = path.rsplit("/", 1)[-1]
    return name.lower(), name.rsplit(".", 1)[-1].lower() if "." in name.lstrip(".") else ""


def _shebang(text: str) -> str | None:
    first = text.split("\n", 1)[0]
    if first.startswith(("#compdef", "#autoload")):  # zsh's functions say so instead
        return "shell"
    if not first.startswith("#!"):
        return None
    words = first[2:].strip().split()
    if not words:
        return None
    program = words[0].rsplit("/", 1)[-1]
    if program == "env":
        rest = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
        program = rest[0].rsplit("/", 1)[-1] if rest else ""
    return _INTERPRETERS.get(re.sub(r"[\d.]+$", "", program.lower()))


def _modeline(text: str) -> str | None:
    for line in text.split("\n", 3)[:2]:
        found = _MODELINE.search(line)
        if found:
            return _MODES.get((found[1] or found[2] or "").lower())
    return None


def _signs(text: str) -> str | None:
    head = text[:20_000]
    counts = {language: len(sign.findall(head)) for language, sign in _SIGNS.items()}
    best = max(counts, key=lambda language: counts[language])
    others = sum(counts.values()) - counts[best]
    return best if counts[best] >= 3 and others == 0 else None


def by_name(path: str) -> frozenset[str]:
    """The languages that a path alone leaves open, none where it tells nothing.

    Lets a reader skip a file without reading it.
    """
    name, extension = _extension(path)
    if extension == "h" and name not in _BY_NAME:
        return frozenset({"c", "cpp"})
    possible = _BY_NAME.get(name) or _BY_EXTENSION.get(extension)
    return frozenset({possible} if possible else ())


def has_unknown_extension(path: str) -> bool:
    """Whether the name has an extension that stands for no known language (an image, data)."""
    name, extension = _extension(path)
    return bool(extension) and name not in _BY_NAME and extension not in _BY_EXTENSION


def recognise_language(path: str, text: str) -> str | None:
    """The language of ``text`` found at ``path``, or None when nothing tells it for sure.

    A known extension decides unless several languages share it; an unknown extension (``.po``) is
    believed to be what it says, so only a name without one is looked into.
    """
    name, extension = _extension(path)
    if name in _BY_NAME:
        return _BY_NAME[name]
    if extension in shared_extensions.SHARED:
        return _shebang(text) or shared_extensions.recognise_language(extension, text)
    if extension in _BY_EXTENSION:
        return _BY_EXTENSION[extension]
    by_shebang = _shebang(text)
    if by_shebang or extension:
        return by_shebang
    return _modeline(text) or _signs(text)

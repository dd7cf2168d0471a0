"""The language of a file whose extension several languages share, told by its content.

An extension has rules that are asked in order: the first whose pattern is found decides. None stands
for a language that no corpus takes (Prolog, Objective-C, Mercury, Forth, GLSL ...) and for a text
that no rule knows: a wrong name would train on it as what it is not. The ambiguities are those of
GitHub's Linguist (lib/linguist/heuristics.yml, MIT), and so are the ideas of many patterns.
"""

import re

_FLAGS = re.MULTILINE
# A text is looked at as far as this: a language shows itself early.
_MOST = 100_000


def _rule(language: str | None, *patterns: str) -> tuple[str | None, re.Pattern[str]]:
    return language, re.compile("|".join(patterns), _FLAGS)


_ANYTHING = ""
_OBJECTIVE_C = (
    r"^\s*@(?:interface|class|protocol|property|end|implementation|autoreleasepool|synthesize)\b",
    r"^\s*#\s*import\s+[<\"]|\bNS(?:Log|String|Object|Array|Dictionary|Integer|UInteger)\b",
    r"@selector\(|@autoreleasepool\b",
)
_CPP = (
    r"^\s*#\s*include\s*<(?:c[a-z]+|string|string_view|vector|map|set|list|array|bitset|queue|stack|"
    r"deque|memory|utility|functional|algorithm|tuple|optional|variant|type_traits|unordered_\w+|"
    r"[io]{0,2}stream|sstream|fstream|iosfwd|atomic|mutex|thread)>",
    r"^\s*template\s*<|\bstd::\w|^\s*(?:inline\s+)?namespace\b(?:\s+[\w:]+)?\s*\{|^\s*using\s+\w+",
    r"^\s*(?:enum\s+)?class\s+[\w ]*\w\s*(?:final\s*)?[:{;]|^\s*(?:enum\s+)?class\s+\w+(?:\s+\w+)?\s*$",
    r"^\s*(?:private|public|protected)(?:\s+\w+)?\s*:|\b(?:constexpr|nullptr|noexcept|mutable|typename)\b",
    r"\b(?:static|dynamic|reinterpret|const)_cast<|\boperator\s*[=+\-<>\[(*&!]|\bvirtual\s+[\w~]",
)
_PERL = (
    r"\A#!.*\bperl|^\s*use\s+(?:strict|warnings|v?5|lib|parent|base|utf8|[A-Z]\w*(?:::\w+)*)\b[^\n]*;",
    r"^\s*(?:my|our|local)\s*[\$@%(]|^\s*sub\s+\w+\s*(?:\([^)\n]*\)\s*)?\{?\s*$|^package\s+[\w:]+\s*;",
    r"^=(?:head\d|pod|cut|over|item)\b|^__(?:END|DATA)__$|^\s*(?:require|print|push|foreach)\b.*[\$@]\w",
    r"^\s*\$\w+\s*=[^=].*;",
)
_RAKU = (r"^\s*use\s+v6\b", r"^\s*(?:unit\s+)?(?:module|class|grammar|role)\s+[\w:-]+\s*[;{]")
_FORTRAN = (
    r"(?i:^\s*(?:recursive\s+|pure\s+|elemental\s+)*(?:subroutine|program|module|function|"
    r"implicit\s+none|block\s+data|double\s+precision|integer|real|call|end\s*(?:if|do)?)\b)",
    r"^(?i:c|\*|!)(?:\s|\*|-|=|\$|$)|^\s*!",
)
_FORTH = (r"^: ", r"^\\ .*\n(?:.*\n)*?: ")

# Extension: rules in the order in which they are asked.
_RULES: dict[str, list[tuple[str | None, re.Pattern[str]]]] = {
    "h": [_rule(None, *_OBJECTIVE_C), _rule("cpp", *_CPP), _rule("c", _ANYTHING)],
    "hh": [_rule(None, r"<\?hh"), _rule("cpp", _ANYTHING)],
    "m": [
        _rule(None, *_OBJECTIVE_C, r"^#\s*include\s*[<\"]"),
        _rule(None, r"^\s*:- "),  # Mercury
        _rule(None, r"\A\s*\(\*", r"^\s*(?:BeginPackage|Begin|Needs|Get)\[", r"\w\[\w*_\w*[,\]]"),
        _rule(None, r"^: ", r"^\w+\s*:\s*module\s*\{", r"^(?:\w+|\s+);"),  # MUF, Limbo, M
        _rule(
            "matlab",
            r"^\s*(?:%|#|function\b|classdef\b|end\w*\s*;?\s*$|if\b|for\b|while\b|clear\b|close all)",
            r"^\s*[\w.,()\[\] ]+=[^=].*;?\s*$",
        ),
    ],
    "pl": [
        _rule(None, r"\A#!.*\b(?:swipl|gprolog|yap|sicstus)\b", *_RAKU),
        _rule("perl", *_PERL),
        _rule(None, r"^[^#\n]*:-", r"^[a-z]\w*\([^;$]*\)\.\s*$"),  # Prolog
        _rule("perl", r"[\$@%]\w+.*;\s*$"),
    ],
    "pm": [
        _rule(None, r"^\s*/\* XPM \*/", *_RAKU),
        _rule("perl", *_PERL),
    ],
    "t": [_rule(None, *_RAKU), _rule("perl", *_PERL)],
    "fs": [
        _rule(
            None,
            r"^\s*#version\b|^\s*precision\s+\w+\s+float|\bgl_[A-Z]\w+|^\s*void\s+main\s*\(",
            r"^\s*(?:uniform|varying|attribute|layout|in|out)\b[^=\n]*;\s*$",  # GLSL
            r"^#include|^#pragma|__attribute__",  # Filterscript
            *_FORTH,
        ),
        _rule("fsharp", r"^\s*(?:#light|open|let|module|namespace|type|\[<)"),
    ],
    "ts": [_rule(None, r"\A[\s\ufeff]*<(?:\?xml|!DOCTYPE|TS\b)"), _rule("typescript", _ANYTHING)],
    "tsx": [_rule(None, r"\A[\s\ufeff]*<\?xml"), _rule("typescript", _ANYTHING)],
    "v": [
        _rule(
            None,
            r"(?:^|\s)(?:Proof|Qed|Defined|Admitted)\.(?:\s|$)|\bRequire\s+(?:Import|Export)\b",
            r"^\s*(?:Theorem|Lemma|Inductive|Fixpoint|Definition|Notation)\b",  # Coq
            r"^\s*(?:pub\s+)?fn\s+[\w.]+\s*\(|^import\s+\w+$",  # V
        ),
        _rule(
            "verilog",
            r"^\s*module\s+[^\s()]+\s*(?:#?\s*\(|;|$)|^\s*endmodule\b|^\s*`(?:define|timescale|ifn?def)",
            r"^\s*(?:always\b|assign\s|initial\s+begin|primitive\s)",
        ),
    ],
    "cls": [
        _rule(
            "tex",
            r"^\s*\\(?:NeedsTeXFormat|ProvidesClass|RequirePackage|LoadClass|newcommand|def)\b",
        )
    ],
    "r": [
        _rule(None, r"(?i:\bREBOL\b)\s*\[?", r"^\s*(?:#include|#define|resource\s+')"),
        _rule("r", r"<-", r"^\s*#", r"\bfunction\s*\(", r"^\s*(?:library|require|source)\s*\("),
    ],
    "ml": [
        _rule(None, r"^\s*(?:structure|functor|fun|datatype)\s+\w", r"^\s*signature\s+\w+\s*="),
        _rule("ocaml", _ANYTHING),
    ],
    "scm": [_rule(None, r"^[^;\n\"]*[)\]\"_]\s*@[\w.]+"), _rule("lisp", _ANYTHING)],
    "f": [_rule(None, *_FORTH, r"\bflowop\b"), _rule("fortran", *_FORTRAN)],
    "for": [_rule(None, *_FORTH), _rule("fortran", *_FORTRAN)],
    "ex": [
        _rule("elixir", r"^\s*(?:def\w*|use|import|alias|require|config|quote|@\w+)[\s(]"),
    ],
    "cs": [_rule(None, r"![\w\s]+methodsFor: "), _rule("csharp", _ANYTHING)],
    "rs": [
        _rule("rust", r"^\s*(?:use\s|fn\s|mod\s|pub[\s(]|macro_rules|impl\b|#!?\[|struct\s|let\s)"),
        _rule(None, r"^\s*<\?xml|^#include|^#pragma|__attribute__"),
        _rule("rust", _ANYTHING),
    ],
    "php": [_rule(None, r"<\?hh"), _rule("php", _ANYTHING)],
    "md": [_rule(None, r"\A(?:;;.*\n|\s)*\(define_"), _rule("markdown", _ANYTHING)],  # GCC's
}
SHARED = frozenset(_RULES)
_COMMENTS = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
# What C and its kin say in comments is English, in which "class" is a word.
_C_LIKE = frozenset({"h", "hh", "fs", "cs", "rs"})


def language_of(extension: str, text: str) -> str | None:
    """The language that the content tells for one of ``SHARED``, None where it is none of ours."""
    looked = text[:_MOST]
    if extension in _C_LIKE:
        looked = _COMMENTS.sub(" ", looked)
    return next((name for name, sign in _RULES[extension] if sign.search(looked)), None)

"""The language of a file whose extension several languages share, told by its content.

An extension has rules that are asked in order: the first whose pattern is found decides. None stands
for a language that no corpus takes (Prolog, Objective-C, Mercury, Forth, GLSL ...) and for a text
that no rule knows: a wrong name would train on it as what it is not. The ambiguities are those of
GitHub's Linguist (lib/linguist/heuristics.yml, MIT), and so are the ideas of many patterns.
"""

import re

_FLAGS = re.MULTILINE
# A text is looked at as far as this: a language shows itself early.
_MOST = 20_000


def _rule(language: str | None, *patterns: str) -> tuple[str | None, re.Pattern[str]]:
    return language, re.compile("|".join(patterns), _FLAGS)


_ANYTHING = ""
_OBJECTIVE_C = (
    r"^[ \t]*@(?:interface|class|protocol|property|end|implementation|autoreleasepool|synthesize)\b",
    r"^[ \t]*#\s*import\s+[<\"]|\bNS(?:Log|String|Object|Array|Dictionary|Integer|UInteger)\b",
    r"@selector\(|@autoreleasepool\b",
)
_CPP = (
    r"^[ \t]*#\s*include\s*<(?:c[a-z]+|string|string_view|vector|map|set|list|array|bitset|queue|stack|"
    r"deque|memory|utility|functional|algorithm|tuple|optional|variant|type_traits|unordered_\w+|"
    r"[io]{0,2}stream|sstream|fstream|iosfwd|atomic|mutex|thread)>",
    r"^[ \t]*template\s*<|\bstd::\w|^[ \t]*(?:inline\s+)?namespace\b(?:\s+[\w:]+)?\s*\{|^[ \t]*using\s+\w+",
    r"^[ \t]*(?:enum\s+)?class\s+[\w ]*\w\s*(?:final\s*)?[:{;]|^[ \t]*(?:enum\s+)?class\s+\w+(?:\s+\w+)?\s*$",
    r"^[ \t]*(?:private|public|protected)(?:\s+\w+)?\s*:|\b(?:constexpr|nullptr|noexcept)\b",
    r"\b(?:static|dynamic|reinterpret|const)_cast<|\bvirtual\s+[\w~]",
    # Words that are names in C: "char *typename;", "operator = 1;".
    r"\btypename\s+\w+(?:::|\s*[,>=])|\boperator\s*(?:\(\)|\[\]|[=+\-<>*&!|]+)\s*\(",
)
_PERL = (
    r"\A#!.*\bperl|^[ \t]*use\s+(?:strict|warnings|v?5|lib|parent|base|utf8|[A-Z]\w*(?:::\w+)*)\b[^\n]*;",
    r"^[ \t]*(?:my|our|local)\s*[\$@%(]|^[ \t]*sub\s+\w+\s*(?:\([^)\n]*\)\s*)?\{?\s*$|^package\s+[\w:]+\s*;",
    r"^=(?:head\d|pod|cut|over|item)\b|^__(?:END|DATA)__$|^[ \t]*(?:require|print|push|foreach)\b.*[\$@]\w",
    r"^[ \t]*\$\w+\s*=[^=].*;",
)
_RAKU = (r"^[ \t]*use\s+v6\b", r"^[ \t]*(?:unit\s+)?(?:module|class|grammar|role)\s+[\w:-]+\s*[;{]")
_FORTRAN = (
    r"(?i:^[ \t]*(?:recursive\s+|pure\s+|elemental\s+)*(?:subroutine|program|module|function|"
    r"implicit\s+none|block\s+data|double\s+precision|integer|real|call|end\s*(?:if|do)?)\b)",
    r"^(?i:c|\*|!)(?:\s|\*|-|=|\$|$)|^[ \t]*!",
)
_FORTH = (r"^: ",)

# Extension: rules in the order in which they are asked.
_RULES: dict[str, list[tuple[str | None, re.Pattern[str]]]] = {
    "h": [_rule(None, *_OBJECTIVE_C), _rule("cpp", *_CPP), _rule("c", _ANYTHING)],
    "hh": [_rule(None, r"<\?hh"), _rule("cpp", _ANYTHING)],
    "m": [
        _rule(None, *_OBJECTIVE_C, r"^#\s*include\s*[<\"]"),
        _rule(None, r"^[ \t]*:- "),  # Mercury
        _rule(
            None, r"\A\s*\(\*", r"^[ \t]*(?:BeginPackage|Begin|Needs|Get)\[", r"\w\[\w*_\w*[,\]]"
        ),
        # MUF, Limbo, M: of the last a label or nothing, then a comment. A row of a matrix may also
        # begin with a semicolon, and "close;" is a whole line of MATLAB.
        _rule(
            None,
            r"^: ",
            r"^\w+\s*:\s*module\s*\{",
            r"(?:^|\A(?!cl)%?\w+(?:\([\w,]*\))?)[ \t]+;+[ \t]*[A-Za-z]",
        ),
        _rule(
            "matlab",
            r"^[ \t]*(?:%|#|function\b|classdef\b|end\w*\s*;?\s*$|if\b|for\b|while\b|clear\b|close all)",
            r"^[ \t]*[\w.,()\[\] ]+=[^=].*;?\s*$",
            r"^[ \t]*\w+(?:\(.*\))?[ \t]*;[ \t]*$|^[ \t]*\w+\(.*\)[ \t]*$|^[ \t]*(?:clc|figure|hold|format)\b",
        ),
    ],
    "pl": [
        _rule(None, r"\A#!.*\b(?:swipl|gprolog|yap|sicstus)\b", *_RAKU),
        _rule("perl", *_PERL),
        _rule(None, r"^[^#\n]*:-", r"^[a-z]\w*\([^;$]*\)\.\s*$"),  # Prolog
        _rule("perl", r"[\$@%]\w+.*;\s*$"),
    ],
    "pm": [
        _rule(None, r"^[ \t]*/\* XPM \*/", *_RAKU),
        _rule("perl", *_PERL),
    ],
    "t": [_rule(None, *_RAKU), _rule("perl", *_PERL)],
    "fs": [
        _rule(
            None,
            r"^[ \t]*#version\b|^[ \t]*precision\s+\w+\s+float|\bgl_[A-Z]\w+|^[ \t]*void\s+main\s*\(",
            r"^[ \t]*(?:uniform|varying|attribute|layout|in|out)\b[^=\n]*;\s*$",  # GLSL
            r"^#include|^#pragma|__attribute__",  # Filterscript
            *_FORTH,
        ),
        _rule("fsharp", r"^[ \t]*(?:#light|open|let|module|namespace|type|\[<)"),
    ],
    "ts": [_rule(None, r"\A[\s\ufeff]*<(?:\?xml|!DOCTYPE|TS\b)"), _rule("typescript", _ANYTHING)],
    "tsx": [_rule(None, r"\A[\s\ufeff]*<\?xml"), _rule("typescript", _ANYTHING)],
    "v": [
        _rule(
            None,
            r"(?:^|\s)(?:Proof|Qed|Defined|Admitted)\.(?:\s|$)|\bRequire\s+(?:Import|Export)\b",
            r"^[ \t]*(?:Theorem|Lemma|Inductive|Fixpoint|Definition|Notation)\b",  # Coq
            r"^[ \t]*(?:pub\s+)?fn\s+[\w.]+\s*\(|^import\s+\w+$",  # V
        ),
        _rule(
            "verilog",
            r"^[ \t]*module\s+[^\s()]+\s*(?:#?\s*\(|;|$)|^[ \t]*endmodule\b|^[ \t]*`(?:define|timescale|ifn?def)",
            r"^[ \t]*(?:always\b|assign\s|initial\s+begin|primitive\s)",
        ),
    ],
    "cls": [
        _rule(
            "tex",
            r"^[ \t]*\\(?:NeedsTeXFormat|ProvidesClass|RequirePackage|LoadClass|newcommand|def)\b",
        )
    ],
    "r": [
        _rule(
            None,
            r"(?i:\bREBOL\b)\s*\[?",
            r"^[ \t]*(?:#include|#define|(?:resource|data|type)\s+')",  # Rez
            r"^[ \t]*(?i:subroutine|integer|real|logical|double\s+precision)[ \t]+\w",  # Ratfor
        ),
        _rule(
            "r",
            r"<-",
            r"^[ \t]*#",
            r"\bfunction\s*\(",
            r"^[ \t]*[\w.:]+\(",
            r"^[ \t]*[\w.$]+[ \t]*=[^=]",
        ),
    ],
    "ml": [
        # Standard ML. A line of OCaml may begin with "fun x ->" or "functor (X : S) ->".
        _rule(
            None,
            r"^[ \t]*(?:structure|signature|datatype)\s+\w+[^\n]*=",
            r"^[ \t]*functor\s+\w+\s*\([^\n]*=|^[ \t]*fun\s+\w+\s(?![^\n]*->)[^\n]*=",
        ),
        _rule("ocaml", _ANYTHING),
    ],
    "scm": [_rule(None, r"^[^;\n\"]*[)\]\"_]\s*@[\w.]+"), _rule("lisp", _ANYTHING)],
    "f": [_rule(None, *_FORTH, r"\bflowop\b"), _rule("fortran", *_FORTRAN)],
    "for": [_rule(None, *_FORTH), _rule("fortran", *_FORTRAN)],
    "ex": [
        _rule("elixir", r"^[ \t]*(?:def\w*|use|import|alias|require|config|quote|@\w+)[\s(]"),
    ],
    "cs": [_rule(None, r"![\w\s]+methodsFor: "), _rule("csharp", _ANYTHING)],
    "rs": [
        _rule(
            "rust", r"^[ \t]*(?:use\s|fn\s|mod\s|pub[\s(]|macro_rules|impl\b|#!?\[|struct\s|let\s)"
        ),
        _rule(None, r"^[ \t]*<\?xml|^#include|^#pragma|__attribute__"),
        _rule("rust", _ANYTHING),
    ],
    "php": [_rule(None, r"<\?hh"), _rule("php", _ANYTHING)],
    "md": [_rule(None, r"\A(?:;;.*\n|\s)*\(define_"), _rule("markdown", _ANYTHING)],  # GCC's
}
SHARED = frozenset(_RULES)
_ENGLISH = re.compile(r"/\*.*?\*/|//[^\n]*|(\"(?:[^\"\\\n]|\\.)*\")", re.DOTALL)
# What C and its kin say in comments and texts is English, in which "class" and "virtual" are words.
_C_LIKE = frozenset({"h", "hh", "fs", "cs", "rs"})


def recognise_language(extension: str, text: str) -> str | None:
    """The language that the content tells for one of ``SHARED``, None where it is none of ours."""
    looked = text[:_MOST]
    if extension in _C_LIKE:
        looked = _ENGLISH.sub(lambda found: '""' if found[1] else " ", looked)
    return next((name for name, sign in _RULES[extension] if sign.search(looked)), None)

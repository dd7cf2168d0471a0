"""Whether a language's toolchain works here: an installed compiler that cannot run would score 0."""

import functools

from lemur.evaluation.benchmarks.multipl_e import languages
from lemur.sandbox.policy import Limits
from lemur.sandbox.types import Sandbox

# language: (program, tests), the least that has the form of MultiPL-E's and passes.
TRIALS = {
    "sh": ("", "set -e\nrun_test() {\n    true\n}\n\nrun_test"),
    "js": ("", "const assert = require('node:assert');\nfunction test() {\n}\n\ntest();"),
    "ts": (
        "",
        "declare var require: any;\nconst assert = require('node:assert');\n"
        "function test() {\n}\n\ntest();",
    ),
    "php": ("<?php", "function test(): void {\n}\n\ntest();"),
    "rb": (
        "",
        "require 'test/unit'\nclass TestHumanEval < Test::Unit::TestCase\n"
        "  def test_nothing\n    assert_equal(1, 1)\n  end\nend\n",
    ),
    "pl": ("", "use Test::Deep;\n\nsub testhumaneval {\n}\n\ntesthumaneval();"),
    "lua": (
        "",
        "lu = require('luaunit')\n\nfunction test_humaneval()\nend\n\nos.exit(lu.LuaUnit.run())",
    ),
    "r": ("", "test_humaneval <- function() {\n}\ntest_humaneval()"),
    "cpp": ("#include<assert.h>\n#include<bits/stdc++.h>", "int main() {\n    assert(true);\n}\n"),
    "java": (
        "import org.javatuples.*;\nclass Problem {",
        "    public static void main(String[] args) {\n    assert(true);\n    }\n\n}\n",
    ),
    "go_test.go": (
        'package nothing_test\n\nimport (\n    "testing"\n)',
        "func TestNothing(t *testing.T) {\n}\n",
    ),
    "rs": ("", "fn main() {\n    assert!(true);\n}\n"),
}


@functools.cache
def broken(sandbox: Sandbox, language: str) -> str | None:
    """Why a program that does nothing does not pass in ``language``, in one line; None if it does,
    with its test seen to end."""
    job = languages.steps(language, *TRIALS[language])
    found = job.run(sandbox, Limits(cpu_seconds=30, wall_seconds=90))
    if found.verdict == "passed" and found.ended:
        return None
    name = languages.LANGUAGES[language].name
    why = found.detail or "the end of its test was not seen"
    return f"toolchain: {name} does not work here: {found.verdict}: {why}"[:300]

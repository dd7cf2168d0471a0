"""The end of MultiPL-E's tests, language by language, made to print a secret word: that a program's
process ended with status 0 does not say that its test came so far."""

import re

# language: (how its tests end, what stands instead), with the halves of the word as {0} and {1}. The
# halves are joined by the program as it prints, so that its own text, printed, does not hold the
# word. The status with which the program ends stays what it was.
_JOINED = r'"\n", "{0}", "{1}", "\n"'
_ENDS = {
    "sh": (
        r"\nrun_test\s*$",
        "\nrun_test\nlemur=$?\n"
        '[ $lemur = 0 ] && builtin printf "\\n%s%s\\n" "{0}" "{1}"\nexit $lemur\n',
    ),
    "js": (
        r"\ntest\(\);?\s*$",
        '\ntest();\nrequire("fs").writeSync(1, ["\\n", "{0}", "{1}", "\\n"].join(""));\n',
    ),
    "php": (r"\ntest\(\);\s*$", f"\ntest();\necho {_JOINED};\n"),
    # The runner starts when the script is over: it is started here, to say something after it.
    "rb": (
        r"\nend\s*$",
        "\nend\nTest::Unit::AutoRunner.need_auto_run = false\n"
        f"lemur = Test::Unit::AutoRunner.run\nSTDOUT.print({_JOINED}) if lemur\nexit(lemur)\n",
    ),
    "pl": (
        r"\ntesthumaneval\(\);\s*$",
        f"\ntesthumaneval();\nprint STDOUT {_JOINED};\n",
    ),
    "lua": (
        r"\nos\.exit\(lu\.LuaUnit\.run\(\)\)\s*$",
        "\nlocal lemur = lu.LuaUnit.run()\n"
        f"if lemur == 0 then io.stdout:write({_JOINED}) end\nos.exit(lemur)\n",
    ),
    "r": (r"\ntest_humaneval\(\)\s*$", f'\ntest_humaneval()\ncat({_JOINED}, sep = "")\n'),
    "cpp": (
        r"(?<=[;{}])\s*\}\s*$",
        '\n    std::printf("\\n%s%s\\n", "{0}", "{1}");\n}}\n',
    ),
    "java": (
        r"(?<=[;{}])\s*\}\s*\}\s*$",
        '\n    java.lang.System.out.printf("%n%s%s%n", "{0}", "{1}");\n    }}\n\n}}\n',
    ),
    # Tests run in the order of the file.
    "go_test.go": (
        r"\n\}\s*$",
        f"\n}}}}\n\nfunc TestLemurEnd(t *testing.T) {{{{ print({_JOINED}) }}}}\n",
    ),
    "rs": (r"(?<=[;{}])\s*\}\s*$", '\n    print!("\\n{{}}{{}}\\n", "{0}", "{1}");\n}}\n'),
}
_ENDS["ts"] = _ENDS["js"]


def printing(language: str, tests: str, halves: tuple[str, str]) -> str | None:
    """``tests`` that print the joined halves on a line of their own as the last that they do; None
    where they do not end as those of ``language`` do."""
    if language not in _ENDS:
        return None
    end, instead = _ENDS[language]
    found = re.search(end, "\n" + tests)
    if found is None:
        return None
    return ("\n" + tests)[1 : found.start()] + instead.format(*halves)

"""One problem a language, made by hand in the form of nuprl/MultiPL-E, with answers to it."""

# language: (prompt, right answer, wrong answer, tests, stop texts)
PROBLEMS = {
    "sh": (
        "#!/bin/bash\n# Add\nadd() {\n",
        "\n    echo $(($1 + $2))",
        "\n    echo $(($1 - $2))",
        '}\n\ncandidate() {\n    add "$@"\n}\n\nset -e\nrun_test() {\n    [[ $(candidate "1" "2") = "3" ]]\n}\n\nrun_test',
        ["\n}"],
    ),
    "js": (
        "//Add\nfunction add(a, b){\n",
        "\n  return a + b;\n}",
        "\n  return a - b;\n}",
        "const assert = require('node:assert');\n\n\nfunction test() {\n  let candidate = add;\n  assert.deepEqual(candidate(1, 2),3);\n}\n\ntest();",
        ["\nfunction ", "\n/*", "\n//", "\nconsole.log"],
    ),
    "ts": (
        "//Add\nfunction add(a: number, b: number): number {\n",
        "\n  return a + b;\n}",
        "\n  return a - b;\n}",
        "declare var require: any;\nconst assert = require('node:assert');\n\n\nfunction test() {\n  let candidate = add;\n  assert.deepEqual(candidate(1, 2),3);\n}\n\ntest();",
        ["\nfunction ", "\n/*", "\n//", "\nclass"],
    ),
    "php": (
        "<?php\n// Add\nfunction add($a, $b) {\n",
        "\n    return $a + $b;\n}",
        "\n    return $a - $b;\n}",
        'function candidate(...$args) {\n    return add(...$args);\n}\n\nfunction test(): void {\n    if (candidate(1, 2) !== 3) { throw new Exception("Test failed!"); }\n}\n\ntest();',
        ["\nfunction", "\n?>", "\n//", "\n#"],
    ),
    "rb": (
        "# Add\ndef add(a, b)\n",
        "\n  a + b\nend",
        "\n  a - b\nend",
        "require 'test/unit'\nclass TestHumanEval < Test::Unit::TestCase\n  def test_add\n    candidate = method(:add)\n    assert_equal(3, candidate.call(1, 2))\n  end\nend\n",
        ["\nclass", "\ndef", "\n#", "\n\n"],
    ),
    "pl": (
        "# Add\nsub add {\n    my($a, $b) = @_;\n",
        "\n    return $a + $b;\n}",
        "\n    return $a - $b;\n}",
        'use Test::Deep;\n\n\nsub testhumaneval {\n    my $candidate = \\&add;\n        if(eq_deeply($candidate->(1, 2),3)) {\n        print "ok!" }else{\n        exit 1;\n        }\n}\n\ntesthumaneval();',
        ["\nsub", "\n#", "\n\n"],
    ),
    "lua": (
        "-- Add\nlocal function add(a, b)\n",
        "\n    return a + b\nend",
        "\n    return a - b\nend",
        "lu = require('luaunit')\n\nfunction test_humaneval()\nlocal candidate = add\n    lu.assertEquals(candidate(1, 2), 3)\nend\n\nos.exit(lu.LuaUnit.run())",
        ["\nlocal", "\nfunction", "\n--", "\n\n"],
    ),
    "r": (
        "# Add\nadd <- function(a, b) {",
        "\n    a + b\n}",
        "\n    a - b\n}",
        "test_humaneval <- function() {\n    candidate <- add\n    stopifnot(isTRUE(all.equal(candidate(1, 2), 3)))\n}\ntest_humaneval()",
        ["\n#", "\n```"],
    ),
    "cpp": (
        "#include<assert.h>\n#include<bits/stdc++.h>\n// Add\nlong add(long a, long b) {\n",
        "\n    return a + b;",
        "\n    return a - b;",
        "}\nint main() {\n    auto candidate = add;\n    assert(candidate((1), (2)) == (3));\n}\n",
        ["\n}"],
    ),
    "java": (
        "import java.util.*;\nimport org.javatuples.*;\nclass Problem {\n    // Add\n    public static long add(long a, long b) {\n",
        "\n        return a + b;",
        "\n        return a - b;",
        "    }\n    public static void main(String[] args) {\n    assert(add((1l), (2l)) == (3l));\n    }\n\n}\n",
        ["\n    }\n"],
    ),
    "go_test.go": (
        'package add_test\n\nimport (\n    "testing"\n    "fmt"\n)\n\n// Add\nfunc add(a int, b int) int {\n',
        "\n    return a + b\n}",
        "\n    return a - b\n}",
        'func TestAdd(t *testing.T) {\n  candidate := add\n\ttype test struct {\n\t\tactual   interface{}\n\t\texpected interface{}\n\t}\n   tests := []test{\n     { actual: candidate(1, 2), expected: 3 },\n   }\n\n\tfor i, tc := range tests {\n\t\tt.Run(fmt.Sprintf("test num % d", i), func(t *testing.T) {\n\t\t\tif fmt.Sprintf("%v", tc.actual) != fmt.Sprintf("%v", tc.expected) {\n\t\t\t\tt.Errorf("expected \'%s\', got \'%s\'", tc.expected, tc.actual)\n\t\t\t}\n\t\t})\n\t}\n}\n',
        ["\nfunc", "struct", "\n// "],
    ),
    "rs": (
        "/// Add\nfn add(a: isize, b: isize) -> isize {\n",
        "\n    a + b",
        "\n    a - b",
        "}\n\nfn main() {\n    let candidate = add;\n    assert_eq!(candidate(1, 2), 3);\n}\n",
        ["\n}"],
    ),
}


def rows(language, prompt, tests, stops):
    """What a table of the hub holds."""
    return [
        {
            "name": f"HumanEval_53_add_{number}",
            "language": language,
            "prompt": prompt,
            "doctests": "transform",
            "original": "HumanEval_53_add.py",
            "prompt_terminology": "reworded",
            "tests": tests,
            "stop_tokens": stops,
        }
        for number in range(2)
    ]

"""Extensions that several languages share: the right language, or none."""

import json

import pytest
from lemur.corpus import shared_extensions
from lemur.corpus.languages import KNOWN, by_column, recognise_language
from made_packages import CODE, PYTHON, sifted

FILES = [
    ("family.pl", "% a tree\nparent(tom, bob).\ngrandparent(X, Z) :-\n    parent(X, Y),\n    parent(Y, Z).\n", None),
    ("mod.pl", ":-module(tree,[depth/2]).\ndepth(leaf,0).\n", None),
    ("facts.pl", "edge(a, b).\nedge(b, c).\n", None),
    ("tool.pl", "#!/usr/bin/swipl\nmain.\n", None),
    ("real.pl", "#!/usr/bin/perl\nuse strict;\nmy $x = 1;\nprint \"$x\\n\";\n", "perl"),
    ("old.pl", "$x = shift;\n$y = $x ? 2 :-1;\nprint $y;\n", "perl"),
    ("raku.pl", "use v6;\nmy $x = 1;\nsay $x;\n", None),
    ("Mod.pm", "package Mod;\nuse strict;\nour $VERSION = '1';\n1;\n", "perl"),
    ("icon.pm", "/* XPM */\nstatic char *icon[] = {\"1 1\"};\n", None),
    ("basic.t", "use Test::More tests => 1;\nok(1);\n", "perl"),
    ("clean.t", "Some test of cram:\n\n  $ echo hi\n  hi\n", None),
    ("pkg.m", "(* ::Package:: *)\nBeginPackage[\"G`\"]\nArea[r_] := Pi r^2\n", None),
    ("fit.m", "f[x_, y_] := x + y\nPlot[f[x, 1], {x, 0, 1}]\n", None),
    ("queue.m", ":- module queue.\n:- interface.\n:- type queue(T).\n", None),
    ("main.m", "#include <stdio.h>\nint main(void) {\n    @autoreleasepool { NSLog(@\"hi\"); }\n}\n", None),
    ("View.m", "#import \"View.h\"\n@implementation View\n@end\n", None),
    ("area.m", "function a = area(r)\n  % AREA of a circle\n  a = pi * r .^ 2;\nend\n", "matlab"),
    ("plot_it.m", "x = linspace(0, 1, 10);\nplot(x, sin(x));\n", "matlab"),
    ("hello.m", "disp('hello')\n", "matlab"),
    ("window.m", "close;\nhold on;\nrun_all;\n", "matlab"),
    ("clean.m", "clc ; close all\nrun_all\n", "matlab"),
    ("rows.m", "a = [1 2\n; 3 4];\n", "matlab"),
    ("hello.m", "HELLO ; says hello\n  set x=1\n  if x=1 do\n  quit\n", None),
    ("add.m", "add(a,b)\n ;; adds two numbers\n set c=a+b\n quit c\n", None),
    ("names.h", "struct item {\n  char *typename;\n  int mutable;\n  int operator;\n};\nint f(int typename, int mutable);\n", "c"),
    ("say.h", "#define WHY \"a virtual address is used\"\n#define OP(x) (x)->operator = 1\n", "c"),
    ("deep.h", "typedef typename A::type B;\n", "cpp"),
    ("less.h", "bool operator<(const A &, const A &);\n", "cpp"),
    ("View.h", "#import <UIKit/UIKit.h>\n\n@interface View : UIView\n- (void)reload;\n@end\n", None),
    ("plain.h", "#ifndef A_H\n#define A_H\n/* the\n   class of devices that\n   are known */\nint a(void);\n#endif\n", "c"),
    ("cxx.h", "#pragma once\n#include <string>\nenum class Kind { a, b };\n", "cpp"),
    ("thing.h", "class Thing {\npublic:\n  int one() { return 1; }\n};\n", "cpp"),
    ("api.h", "#ifdef __cplusplus\nextern \"C\" {\n#endif\nint a(void);\n#ifdef __cplusplus\n}\n#endif\n", "c"),
    ("shade.fs", "#version 330 core\nin vec2 uv;\nout vec4 color;\nuniform sampler2D tex;\nvoid main() {\n}\n", None),
    ("old.fs", "precision mediump float;\nvarying vec2 uv;\nvoid main() { gl_FragColor = vec4(uv, 0, 1); }\n", None),
    ("stack.fs", ": square ( n -- n ) dup * ;\n", None),
    ("App.fs", "module App\n\nopen System\n\nlet add a b = a + b\n", "fsharp"),
    ("proof.v", "Theorem plus_n_O : forall n:nat, n = n + 0.\nProof. induction n; auto. Qed.\n", None),
    ("main.v", "module main\n\nfn main() {\n  println('hi')\n}\n", None),
    ("adder.v", "module adder(input a, input b, output c);\n  assign c = a & b;\nendmodule\n", "verilog"),
    ("app_de.ts", "<?xml version=\"1.0\"?>\n<!DOCTYPE TS>\n<TS></TS>\n", None),
    ("app.ts", "export const n: number = 1;\n", "typescript"),
    ("Class1.cls", "VERSION 1.0 CLASS\nBEGIN\n  MultiUse = -1\nEND\n", None),
    ("paper.cls", "\\NeedsTeXFormat{LaTeX2e}\n\\ProvidesClass{paper}\n", "tex"),
    ("a.r", "REBOL [Title: \"x\"]\nprint 1\n", None),
    ("a.R", "x <- c(1, 2)\nmean(x)\n", "r"),
    ("b.r", "x = c(1,2)\n", "r"),
    ("b.r", "plot(1:10)\n", "r"),
    ("b.r", "print.thing = 1\n", "r"),
    ("b.r", "subroutine f(x)\nx = 1\nend\n", None),
    ("b.r", "type 'ICON' {\n  x = 1;\n};\n", None),
    ("a.ml", "structure S = struct\n  fun f x = x\nend\n", None),
    ("b.ml", "let rec f x = match x with [] -> 0 | _ :: t -> f t\n", "ocaml"),
    ("c.ml", "let f =\n  fun x -> x\nmodule F =\n  functor (X : S) -> struct end\n", "ocaml"),
    ("a.f", "      subroutine f(x)\n      end\n", "fortran"),
    ("a.f", ": star 42 emit ;\n", None),
    ("a.for", "C     comment\n      PROGRAM MAIN\n      END\n", "fortran"),
    ("a.ex", "defmodule A do\n  def f(x), do: x\nend\n", "elixir"),
    ("a.ex", "include std/io.e\nprocedure f()\nend procedure\n", None),
    ("a.cs", "!Object methodsFor: 'x'!\nfoo\n ^1 !\n", None),
    ("a.cs", "namespace A { class B { } }\n", "csharp"),
    ("a.rs", "use std::io;\nfn main() {}\n", "rust"),
    ("a.rs", "#pragma version(1)\n#pragma rs java_package_name(a)\n", None),
    ("a.php", "<?hh\nfunction f(): int { return 1; }\n", None),
    ("highlights.scm", "(identifier) @variable\n\"return\" @keyword\n", None),
    ("a.scm", "(define (f x) (* x x))\n", "lisp"),
    ("gcc.md", ";; Machine description\n(define_insn \"add\"\n", None),
    ("README.md", "# Title\n\nText.\n", "markdown"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "text", "language"), FILES)
def test_by_content(path, text, language):
    assert recognise_language(path, text) == language


def test_only_known_languages_are_named():
    named = {language for rules in shared_extensions._RULES.values() for language, _ in rules}
    assert named - {None} <= KNOWN


@pytest.mark.parametrize(
    ("column", "language"),
    [
        ("C++", "cpp"), ("C#", "csharp"), ("c-sharp", "csharp"), ("F#", "fsharp"), ("Python", "python"),
        (" JavaScript ", "javascript"), ("TSX", "typescript"), ("Common Lisp", "lisp"), ("Shell", "shell"),
        ("emacs-lisp", "lisp"), ("SystemVerilog", "verilog"), ("reStructuredText", "rst"),
        ("Plain Text", "text"), ("PLpgSQL", "sql"), ("Prolog", "prolog"), ("Objective-C", "objective-c"),
    ],
)  # fmt: skip
def test_a_columns_names(column, language):
    assert by_column(column) == language


@pytest.mark.parametrize("column", ["", " ", ","])
def test_a_column_without_a_name_names_no_language(column):
    assert by_column(column) not in KNOWN


def test_rows_in_languages_of_two_words(tmp_path):
    rows = [
        {"text": PYTHON.decode() + f"# {k}\n", "l": name}
        for k, name in enumerate(("C++", "C#", "D"))
    ]
    source = CODE | {"format": "jsonl", "language_field": "l", "languages": ["cpp", "csharp"]}
    lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
    found, stats = sifted(tmp_path, source, {"a.jsonl": lines})
    assert [row["language"] for row in found] == ["cpp", "csharp"]
    assert stats["dropped"]["other_language"]["files"] == 1

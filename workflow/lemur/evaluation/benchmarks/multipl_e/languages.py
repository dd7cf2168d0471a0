"""MultiPL-E (Cassano et al. 2022, arXiv 2208.08227): how a program of each language is compiled and
run, as its authors' evaluation does it, and what of that is installed here.

What differs from evaluation/src/eval_*.py of nuprl/MultiPL-E, each for a reason: time is processor
time by the recipe, where 15 seconds of wall time (Go 30) would depend on what else runs; ``tsc`` is
given the module system that newer versions assume; Java's heap is bounded; Lua may be 5.4, the
original's image has 5.3; a Perl program that prints ERROR and ends with 0 has passed.

Verdicts of programs whose result rests on what a language draws anew in every run are no more
repeatable than in the original: Lua's ``pairs`` (its seed is an address and the time), Go's and Rust's
maps, Java's ``Set.of`` and ``Map.of`` have another order each time, and random numbers another seed in
all languages. None of these takes a seed from outside; the order of Perl's hashes does.
"""

import dataclasses
import functools
import glob
import os
import re
import shutil

from lemur.evaluation.benchmarks.multipl_e import ends
from lemur.sandbox.judge import Verdict
from lemur.sandbox.policy import Limits, Root
from lemur.sandbox.steps import Steps, secret_word
from lemur.sandbox.types import Sandbox

NO_DESCRIPTORS = "sandbox: it has no /proc, which Bash's <( ) and /dev/stderr need"
_DESCRIPTOR = re.compile(r"/dev/(fd/\d+|std(in|out|err)): No such file or directory")
_JAR = "/usr/share/java/javatuples.jar"
# Every language gets the tools that Bash programs and compilers call.
_ALWAYS = ("/bin", "/usr/bin", "/etc/alternatives")
_ALLOWED = ("/usr/bin", "/bin", "/nix/store")


@dataclasses.dataclass(frozen=True)
class Language:
    """``commands`` run over the file ``file``; ``shares`` are globs of what they read outside of
    /usr/bin and /usr/lib; ``needs`` are files of a library, and ``packages`` Debian's names;
    ``script`` is what the last command interprets, empty where it runs what was compiled."""

    name: str
    file: str
    commands: tuple[tuple[str, ...], ...]
    packages: str
    shares: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    # The command that /proc/self/exe points to: there is no /proc inside, and some look there for
    # where they stand.
    itself: str = ""

    @property
    def script(self) -> str:
        if len(self.commands) == 1:
            return self.file
        return self.commands[-1][1] if self.commands[-1][0] == "node" else ""


LANGUAGES = {
    "sh": Language("Bash", "a.sh", (("bash", "a.sh"),), "bash"),
    "js": Language("JavaScript", "a.js", (("node", "a.js"),), "nodejs", ("/usr/share/nodejs",)),
    "ts": Language(
        "TypeScript",
        "a.ts",
        (("tsc", "--target", "esnext", "--module", "commonjs", "a.ts"), ("node", "a.js")),
        "nodejs node-typescript",
        ("/usr/share/nodejs", "/usr/share/node_modules"),
    ),
    "php": Language(
        "PHP",
        "a.php",
        (("php", "a.php"),),
        "php-cli",
        # Its settings load what the package holds beside the core: ctype, iconv, posix, tokenizer.
        ("/etc/php",),
    ),
    "rb": Language(
        "Ruby",
        "a.rb",
        (("ruby", "a.rb"),),
        "ruby ruby-test-unit",
        ("/usr/share/rubygems-integration", "/usr/share/ruby*"),
        ("/usr/lib/ruby/vendor_ruby/test/unit.rb|/usr/share/rubygems-integration/all/gems/test-unit-*|/usr/lib/ruby/gems/*/gems/test-unit-*",),
    ),
    "pl": Language(
        "Perl",
        "a.pl",
        (("perl", "a.pl"),),
        "perl libtest-deep-perl",
        ("/usr/share/perl*", "/etc/perl"),
        ("/usr/share/perl5/Test/Deep.pm",),
        # The order of a hash is another in every run otherwise.
        (("PERL_HASH_SEED", "0"), ("PERL_PERTURB_KEYS", "0")),
    ),
    "lua": Language(
        "Lua",
        "a.lua",
        (("lua5.4|lua5.3|lua", "a.lua"),),
        "lua5.4 lua-unit",
        ("/usr/share/lua",),
        ("/usr/share/lua/5.*/luaunit.lua",),
    ),
    "r": Language(
        "R", "a.r", (("Rscript", "a.r"),), "r-base-core", ("/usr/share/R", "/etc/R")
    ),
    "cpp": Language(
        "C++",
        "a.cpp",
        (("g++", "a.cpp", "-o", "a.out", "-std=c++17"), ("./a.out",)),
        "g++",
        ("/usr/include",),
    ),
    "java": Language(
        "Java",
        "Problem.java",
        (
            ("javac", "-encoding", "UTF8", "-cp", _JAR, "-d", ".", "Problem.java"),
            ("java", "-ea", "-Xmx512m", "-cp", f".:{_JAR}", "Problem"),
        ),
        "default-jdk-headless libjavatuples-java",
        ("/usr/share/java", "/etc/java-*"),
        (_JAR,),
        # Its own threads would be counted as many; two cores are enough for a test.
        (("JAVA_TOOL_OPTIONS", "-XX:ActiveProcessorCount=2 -XX:+UseSerialGC"),),
        itself="java",
    ),
    "go_test.go": Language(
        "Go",
        "a_test.go",
        # What `go test a_test.go` does, with its two halves apart.
        (
            ("go", "test", "-c", "-o", "a.out", "a_test.go"),
            ("./a.out", "-test.paniconexit0", "-test.timeout=10m0s"),
        ),
        "golang-go",
        ("/usr/share/go-*",),
        (),
        (
            ("GOCACHE", "/tmp/go-cache"),  # noqa: S108 - the sandbox's own
            ("GOPATH", "/tmp/go"),  # noqa: S108
            ("GO111MODULE", "off"),
            ("GOFLAGS", "-p=2"),
            ("GOMAXPROCS", "2"),
            ("CGO_ENABLED", "0"),
        ),
    ),
    "rs": Language(
        "Rust", "a.rs", (("rustc", "a.rs", "-o", "a.out"), ("./a.out",)), "rustc",
        itself="rustc",
    ),
}  # fmt: skip


@functools.cache
def _which(names: str) -> str | None:
    """Where a command is, among the folders that a sandbox may hold."""
    path = [
        folder
        for folder in os.environ.get("PATH", "").split(os.pathsep)
        if folder.startswith(_ALLOWED)
    ]
    path = os.pathsep.join([*path, "/usr/bin", "/bin"])
    return next(
        (found for name in names.split("|") if (found := shutil.which(name, path=path))), None
    )


@functools.cache
def missing(language: str) -> str | None:
    """What a language lacks here, in one line; None where it can be judged."""
    if language not in LANGUAGES:
        return f"toolchain: no judge for language '{language}' (judged: {', '.join(LANGUAGES)})"
    toolchain = LANGUAGES[language]
    wanted = [command[0] for command in toolchain.commands if not command[0].startswith("./")]
    lacking = [name.split("|")[0] for name in wanted if _which(name) is None]
    for need in toolchain.needs:
        if not any(glob.glob(pattern) for pattern in need.split("|")):
            lacking.append(need.split("|")[0])
    if not lacking:
        return None
    return f"toolchain: {toolchain.name} lacks {', '.join(lacking)}: apt-get install {toolchain.packages}"


@functools.cache
def root(language: str) -> Root:
    """What the sandbox holds for a language."""
    toolchain = LANGUAGES[language]
    paths = [path for path in _ALWAYS if os.path.lexists(path)]
    paths += sorted({path for share in toolchain.shares for path in glob.glob(share)})
    itself = os.path.realpath(str(_which(toolchain.itself))) if toolchain.itself else ""
    return Root(
        tuple((path, path) for path in paths),
        ((itself, "/proc/self/exe"),) if itself else (),
        (("PATH", "/usr/bin:/bin"), *toolchain.environment),
    )


class Shell(Steps):
    """Steps of a Bash program, which may want files that no sandbox without /proc can have."""

    def run(self, sandbox: Sandbox, limits: Limits) -> Verdict:
        """As ``Steps.run``; where one failed and missed such a file, the detail says so. It counts
        as failed: what a program writes must not take it out of the score."""
        found = super().run(sandbox, limits)
        if found.verdict != "passed" and _DESCRIPTOR.search(found.detail):
            return dataclasses.replace(found, detail=NO_DESCRIPTORS)
        return found


def steps(language: str, program: str, tests: str) -> Steps:
    """The job that compiles and runs a program with its tests after it. Tests of a form that is not
    known are run as they are, and their end is not checked."""
    toolchain, word = LANGUAGES[language], secret_word()
    printing = ends.printing(language, tests, word)
    commands = tuple(
        (command[0] if command[0].startswith("./") else str(_which(command[0])), *command[1:])
        for command in toolchain.commands
    )
    return (Shell if language == "sh" else Steps)(
        ((toolchain.file, f"{program}\n{tests if printing is None else printing}"),),
        commands,
        root(language),
        word=None if printing is None else word,
        once=toolchain.script,
        gone=(toolchain.file,) if toolchain.script != toolchain.file else (),
    )

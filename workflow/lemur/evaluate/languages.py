"""MultiPL-E (Cassano et al. 2022, arXiv 2208.08227): how a program of each language is compiled and
run, as its authors' evaluation does it, and what of that is installed here."""

import dataclasses
import functools
import glob
import os
import shutil
from typing import Any

from lemur.evaluate import intervals
from lemur.sandbox.policy import Root
from lemur.sandbox.steps import Steps

_JAR = "/usr/share/java/javatuples.jar"
# Every language gets the tools that Bash programs and compilers call.
_ALWAYS = ("/bin", "/usr/bin", "/etc/alternatives")
_ALLOWED = ("/usr/bin", "/bin", "/nix/store")


@dataclasses.dataclass(frozen=True)
class Language:
    """``commands`` run over the file ``file``; ``shares`` are globs of what they read outside of
    /usr/bin and /usr/lib; ``needs`` are files of a library, and ``packages`` Debian's names."""

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
        "PHP", "a.php", (("php", "-n", "a.php"),), "php-cli", ("/usr/share/zoneinfo",)
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
        # The first compiles, vets and runs no test, the second has the first one's cache.
        (("go", "test", "-run", "^$", "a_test.go"), ("go", "test", "a_test.go")),
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
    path = [one for one in os.environ.get("PATH", "").split(os.pathsep) if one.startswith(_ALLOWED)]
    path = os.pathsep.join([*path, "/usr/bin", "/bin"])
    return next(
        (found for name in names.split("|") if (found := shutil.which(name, path=path))), None
    )


@functools.cache
def missing(language: str) -> str | None:
    """What a language lacks here, in one line; None where it can be judged."""
    if language not in LANGUAGES:
        return f"toolchain: no judge for language '{language}' (judged: {', '.join(LANGUAGES)})"
    one = LANGUAGES[language]
    wanted = [command[0] for command in one.commands if not command[0].startswith("./")]
    lacking = [name.split("|")[0] for name in wanted if _which(name) is None]
    for need in one.needs:
        if not any(glob.glob(pattern) for pattern in need.split("|")):
            lacking.append(need.split("|")[0])
    if not lacking:
        return None
    return f"toolchain: {one.name} lacks {', '.join(lacking)}: apt-get install {one.packages}"


@functools.cache
def root(language: str) -> Root:
    """What the sandbox holds for a language."""
    one = LANGUAGES[language]
    paths = [path for path in _ALWAYS if os.path.lexists(path)]
    paths += sorted({path for share in one.shares for path in glob.glob(share)})
    itself = os.path.realpath(str(_which(one.itself))) if one.itself else ""
    return Root(
        tuple((path, path) for path in paths),
        ((itself, "/proc/self/exe"),) if itself else (),
        (("PATH", "/usr/bin:/bin"), *one.environment),
    )


def steps(language: str, program: str) -> Steps:
    """The job that compiles and runs a whole program."""
    one = LANGUAGES[language]
    commands = tuple(
        (command[0] if command[0].startswith("./") else str(_which(command[0])), *command[1:])
        for command in one.commands
    )
    return Steps(((one.file, program),), commands, root(language))


def shares_by(pairs: list[tuple[dict[str, Any], str]], field: str) -> dict[str, Any]:
    """Share of problems passed for each value of a document's ``field``, of those judged."""
    found: dict[str, list[bool]] = {}
    for item in {id(item): item for item, _ in pairs}.values():
        if item["verdict"] != "not judged":
            group = item["_sample"]["doc"][field]
            found.setdefault(group, []).append(item["verdict"] == "passed")
    shares = {}
    for group, passed in sorted(found.items()):
        low, high = intervals.wilson(sum(passed), len(passed))
        value = sum(passed) / len(passed)
        shares[group] = {"value": value, "n": len(passed), "interval": [low, high]}
    return shares


def by_language(pairs: list[tuple[dict[str, Any], str]]) -> dict[str, Any]:
    """Scores of each language that was judged, and their plain mean."""
    shares = shares_by(pairs, "language")
    mean = sum(one["value"] for one in shares.values()) / max(1, len(shares))
    return {"languages": shares, "mean_of_languages": mean}

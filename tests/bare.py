"""Run README's two commands where nobody installed anything: in a Debian made for it.

    bare.py                      make mini, then make test, in a bare Debian of suite bookworm
    bare.py --suite trixie       in another suite (more than one: each in turn)
    bare.py --only mini|test     one of the two commands
    bare.py --folder FOLDER      keep the root in FOLDER, and go on with the one that is there

debootstrap makes a minimal root. It gets the configuration of this machine's package clients (apt,
pip, uv, npm, certificates, proxies), make, python3, python3-venv and git, and a clone of the commit
that is checked out here, without ../shared. Prints what passed, failed and was skipped and why,
seconds, and the megabytes of the root; exit 1 where a command failed. Where no root can be made (not
root, no debootstrap, which is installed where apt-get can) it says so and leaves with 3.

Every mount is made in a mount namespace of its own, which ends with the command: what is deleted
afterwards holds no mount, and that is looked at before. The root is pivoted into, since bubblewrap
refuses a plain chroot. Only the standard library is used: nothing is built when this starts.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CLONE = "root/lemur"
MADE = "etc/made-by-bare.py"
SKIPPED = 3  # exit code where a suite was not tried, and nothing else failed
NEEDED = ("make", "python3", "python3-venv", "git")
# Where package clients look for their settings, and the settings that come as variables.
SYSTEM_FILES = ("etc/pip.conf", "etc/xdg/pip", "etc/npmrc", "usr/etc/npmrc", "etc/uv",
                "etc/hosts", "usr/local/share/ca-certificates")  # fmt: skip
HOME_FILES = (".config/pip", ".pip", ".npmrc", ".config/uv")
VARIABLES = re.compile(r"(PIP|UV|NPM_CONFIG)_.*|.*_PROXY|.*CERT.*|.*_CA_BUNDLE|.*_CAINFO", re.I)
APT = re.compile(r'Acquire::(https?::|Check-|Retries|ForceIPv)\S* "[^"]+";')
# The first process of the namespace: it binds, pivots, runs one command and waits for orphans.
ENTER = """
set -e
root=$1 binds=$2 command=$3
mount --bind "$root" "$root"
for path in $binds; do
    if [ -d "$path" ]; then mkdir -p "$root$path"; else mkdir -p "$root${path%/*}" && : >>"$root$path"; fi
    mount --bind "$path" "$root$path" && mount -o remount,bind,ro "$root$path"
done
mkdir -p "$root/proc" "$root/sys" "$root/dev"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
cd "$root"
pivot_root . .
umount -l .
cd /
code=0
bash -c "$command" || code=$?
exit $code
"""


def say(line: str) -> None:
    print(f"bare: {line}", flush=True)


class CannotError(Exception):
    """Why no root can be made here."""


def client_settings() -> dict[str, str]:
    """Variables of this process that package clients read."""
    return {name: value for name, value in os.environ.items() if VARIABLES.fullmatch(name)}


def local_folders(text: str) -> list[str]:
    """Folders and files of this machine that pip's settings name, outermost first.

    A ``file:`` index's pages point to files beside it, so its parent is what is read.
    """
    found = set()
    for scheme, path in re.findall(r"(?:^|[\s='\"])(file://)?(/[^\s'\"]+)", text):
        there = Path(path).parent if scheme else Path(path)
        if there.exists() and len(there.parts) > 1 and not there.is_relative_to("/etc"):
            found.add(str(there))
    return sorted(found)


class Bare:
    """A Debian root in ``folder``, and commands in it."""

    def __init__(self, folder: Path, suite: str):
        self.folder, self.suite = folder, suite
        self.settings = client_settings()
        self.binds = local_folders("\n".join([*self.settings.values(), *self.pip_settings()]))

    @staticmethod
    def pip_settings() -> list[str]:
        files = [Path("/") / name for name in SYSTEM_FILES if "pip" in name]
        files += [Path.home() / name for name in HOME_FILES if "pip" in name]
        every = [one for path in files for one in (path.rglob("*") if path.is_dir() else [path])]
        return [path.read_text() for path in every if path.is_file() and path.suffix == ".conf"]

    def make(self) -> None:
        """The root, with the clients' configuration and what README asks for."""
        made = self.folder / MADE
        if made.exists():
            say(f"{self.suite}: going on with the root in {self.folder}, which is not fresh")
            return
        if any(self.folder.iterdir()):
            raise SystemExit(
                f"error: {self.folder} holds no root that was made to its end: remove it"
            )
        if shutil.which("debootstrap") is None:
            install = ["apt-get", "-qq", "-y", "install", "--no-install-recommends"]
            packages = ["debootstrap", "debian-archive-keyring"]
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            for command in ([*install, *packages], ["apt-get", "-qq", "update"], [*install, *packages]):  # fmt: skip
                if shutil.which("apt-get") and shutil.which("debootstrap") is None:
                    subprocess.run(command, check=False, **quiet)
        if shutil.which("debootstrap") is None:
            raise CannotError(
                "debootstrap is not installed (Debian and Ubuntu: apt-get install it)"
            )
        sources = apt_sources(self.suite)
        mirror = next((uri for uri, suite, _ in sources if suite == self.suite), None)
        command = ["debootstrap", "--variant=minbase", "--include=ca-certificates", self.suite,
                   str(self.folder), *([mirror] if mirror else [])]  # fmt: skip
        # In a mount namespace of its own: debootstrap mounts /proc and more inside.
        done = subprocess.run(["unshare", "--mount", *command], capture_output=True, text=True)
        if done.returncode:
            last = (done.stdout + done.stderr).strip().splitlines()[-3:]
            raise CannotError(f"debootstrap {self.suite}: {' / '.join(last)}")
        self.configure(sources)
        packages = " ".join(NEEDED)
        code = self.run(f"update-ca-certificates && apt-get -qq update && apt-get -qq -y install --no-install-recommends {packages}",
                        "/", {"DEBIAN_FRONTEND": "noninteractive"}, quiet=True)[0]  # fmt: skip
        if code:
            raise SystemExit(
                f"error: apt-get could not install {packages} in the bare {self.suite}"
            )
        made.touch()

    def configure(self, sources: list[tuple[str, str, str]]) -> None:
        for name in SYSTEM_FILES:
            copy(Path("/") / name, self.folder / name)
        for name in HOME_FILES:
            copy(Path.home() / name, self.folder / "root" / name)
        if sources:
            text = "".join(f"deb {uri} {suite} {part}\n" for uri, suite, part in sources)
            (self.folder / "etc/apt/sources.list").write_text(text)
        shown = subprocess.run(["apt-config", "dump"], capture_output=True, text=True)
        kept = [line for line in shown.stdout.splitlines() if APT.match(line)]
        (self.folder / "etc/apt/apt.conf.d/99clients").write_text("\n".join([*kept, ""]))

    def clone(self) -> None:
        """The commit that is checked out here, as `git clone` gives it."""
        there = self.folder / CLONE
        if there.exists():
            subprocess.run(["git", "-C", there, "fetch", "-q", ROOT, "HEAD"], check=True)
            subprocess.run(["git", "-C", there, "reset", "-q", "--hard", "FETCH_HEAD"], check=True)
        else:
            subprocess.run(["git", "clone", "-q", "--no-hardlinks", ROOT, there], check=True)

    def run(self, command: str, where: str, more: dict[str, str], quiet: bool = False) -> tuple[int, list[str]]:  # fmt: skip
        """(exit status, lines) of a command line inside; lines are printed as they come."""
        values = {"HOME": "/root", "USER": "root", "TERM": "dumb", **self.settings, **more,
                  "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}  # fmt: skip
        inside = f"cd {where} && {command}"
        outer = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private",
                 "bash", "-c", ENTER, "bare", str(self.folder), " ".join(self.binds), inside]  # fmt: skip
        lines = []
        with subprocess.Popen(outer, env=values, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace") as process:  # fmt: skip
            try:
                for line in process.stdout:
                    lines.append(line.rstrip("\n"))
                    if not quiet:
                        print(line, end="", flush=True)
            except BaseException:
                process.kill()
                raise
        if quiet and process.returncode:
            print("\n".join(lines[-20:]), flush=True)
        return process.returncode, lines

    def megabytes(self) -> int:
        shown = subprocess.run(["du", "-sxm", self.folder], capture_output=True, text=True)
        return int(shown.stdout.split()[0])


def copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    elif source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def apt_sources(suite: str) -> list[tuple[str, str, str]]:
    """(archive, suite, component) for a suite of Debian, by the archives that apt uses here."""
    asked = ["apt-get", "indextargets", "--format",
             "$(ORIGIN)\t$(LABEL)\t$(REPO_URI)\t$(CODENAME)\t$(COMPONENT)", "Created-By: Packages"]  # fmt: skip
    try:
        shown = subprocess.run(asked, capture_output=True, text=True).stdout
    except OSError:
        return []
    rows = [line.split("\t") for line in shown.splitlines() if line.startswith("Debian\t")]
    # Of bookworm, bookworm-updates and bookworm-security the first is the suite's name.
    here = min((row[3] for row in rows if row[1] == "Debian"), key=len, default="")
    every = [(uri, name.replace(here, suite), part) for _, _, uri, name, part in rows if here]
    # What is not released yet has neither updates nor security updates.
    return [one for one in every if suite != "sid" or one[1] == suite]


def mounts_below(folder: Path) -> list[str]:
    """Mount points in a folder, by this process's own mount namespace."""
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    real = [re.sub(r"\\(\d{3})", lambda found: chr(int(found[1], 8)), point) for point in points]
    return [one for one in real if Path(one).is_relative_to(folder.resolve())]


def remove(folder: Path) -> None:
    """Delete a root; never through a mount, so not where there is one."""
    if found := mounts_below(folder):
        say(f"left {folder}: mounted in it: {', '.join(found)}")
        return
    subprocess.run(["rm", "-rf", "--one-file-system", folder], check=False)


def closing(lines: list[str]) -> list[str]:
    """Of a command's output, how many tests passed, and the reasons of what was skipped."""
    counts = [line for line in lines if re.fullmatch(r"\d+ passed, \d+ failed, \d+ skipped", line)]
    reasons = [line for line in lines if re.match(r"(skipped|error|FAILED|ERROR)\b", line)]
    return [*reasons, *counts[-1:]]


def try_suite(suite: str, targets: list[str], folder: Path | None) -> int:
    """How many of the commands failed in a root of ``suite``."""
    home = folder or Path(tempfile.mkdtemp(prefix="lemur-bare-", dir=os.environ.get("TMPDIR", "/var/tmp")))  # fmt: skip
    root = home / suite
    try:
        root.mkdir(parents=True, exist_ok=True)
        began = time.monotonic()
        bare = Bare(root, suite)
        bare.make()
        bare.clone()
        summary = [f"{suite}: root made in {time.monotonic() - began:.0f} s, {bare.megabytes()} MB"]
        failed = 0
        for target in targets:
            say(f"{suite}: make {target}")
            began = time.monotonic()
            code, lines = bare.run(f"make {target}", f"/{CLONE}", {})
            failed += code != 0
            seconds = time.monotonic() - began
            told = "ok" if code == 0 else f"FAILED with {code}"
            summary += [f"{suite}: make {target}: {told}, {seconds:.0f} s, root {bare.megabytes()} MB"]  # fmt: skip
            summary += [f"    {line}" for line in closing(lines)]
        for line in summary:
            say(line)
        return failed
    finally:
        if folder is None:
            remove(home)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--suite", nargs="+", default=["bookworm"])
    parser.add_argument("--only", choices=["mini", "test"])
    parser.add_argument("--folder", type=Path)
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if os.geteuid() != 0:
        say("skipped: root: making and entering a bare Debian needs it")
        return SKIPPED
    changed = subprocess.run(["git", "-C", ROOT, "status", "--porcelain"], capture_output=True)
    if changed.stdout:
        say("changes that are not committed are not in the clone")
    targets = [args.only] if args.only else ["mini", "test"]
    failed = skipped = 0
    for suite in args.suite:
        try:
            failed += try_suite(suite, targets, args.folder)
        except CannotError as error:
            say(f"skipped: {suite}: {error}")
            skipped += 1
    return 1 if failed else SKIPPED if skipped else 0


if __name__ == "__main__":
    sys.exit(main())

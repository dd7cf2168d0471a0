"""Browsers for episodes: each in a process that plays one episode at a time and is kept for the next.

An episode has a context of its own, which is closed with it: cookies, storage, caches and pages are
gone. A browser that does not answer is ended with all that it has started.
"""

import functools
import shutil
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from lemur.agents.browser.actions import Action
from lemur.agents.browser.descendants import FOLDER, end_below
from lemur.agents.browser.messages import Begin, Found, Seen
from lemur.agents.environment import WorldFailed
from lemur.agents.sessions.exchange import Reply
from lemur.agents.sessions.lines import Lines
from lemur.agents.sessions.packages import find_packages
from lemur.core import contracts
from lemur.core.errors import UserError
from lemur.core.log import logger
from lemur.core.provenance import ROOT

Answer = TypeVar("Answer", Seen, Found)
ENVIRONMENT = "web"
BUILD = f"environment '{ENVIRONMENT}' is not built: workflow/env-build {ENVIRONMENT}"
NO_BROWSER = "no browser: apt-get install chromium"
START, STEP = 120.0, 60.0  # seconds: a busy machine needs 5 and 1
REPLY = 16 << 20  # bytes
MAIN = (
    "import sys; sys.path.insert(0, {!r}); from lemur.agents.browser.chromium import main; main()"
)


def missing() -> str | None:
    """Why no browser can be started here; None where one can."""
    if shutil.which("chromium") is None:
        return NO_BROWSER
    return None if find_packages(ENVIRONMENT, "playwright") is not None else BUILD


@functools.cache
def say_unconfined() -> None:
    """One line a run on what the browser itself does not do here: see ``chromium.launch``."""
    logger.warning(
        "warning: Chromium's own sandbox does not start for this user (root, or no user namespaces): "
        "pages run without it, with the listed addresses as their only network"
    )


class Browser(Lines):
    """A process with a browser that reaches ``origins`` alone."""

    def __init__(self, origins: Sequence[str]):
        why = missing()
        if why is not None:
            raise WorldFailed(why)
        self.home = Path(tempfile.mkdtemp(prefix=FOLDER))
        python = ROOT / ".envs" / ENVIRONMENT / "bin" / "python"
        line = [str(python), "-I", "-c", MAIN.format(str(ROOT / "workflow"))]
        place = {"HOME": str(self.home), "TMPDIR": str(self.home)}
        super().__init__(line, "the browser", place, REPLY)
        try:
            settings = {"executable": shutil.which("chromium"), "origins": list(origins)}
            if not self.ask(settings, START).get("confined"):
                say_unconfined()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the browser, which has sessions of its own, with the process."""
        end_below(self.process.pid)
        super().close()
        shutil.rmtree(self.home, ignore_errors=True)


class Browsers:
    """Those that are idle wait for the next episode. ``take`` and ``give`` may come from any thread."""

    def __init__(self, origins: Sequence[str]):
        self.origins = tuple(origins)
        self.lock = threading.Lock()
        self.idle: list[Browser] = []

    def take(self) -> Browser:
        """One that nobody uses, else a new one."""
        with self.lock:
            if self.idle:
                return self.idle.pop()
        return Browser(self.origins)

    def give(self, browser: Browser) -> None:
        """Take one back: its episode's context is closed, or else the browser is."""
        try:
            browser.ask({"op": "end"}, STEP)
        except WorldFailed:
            browser.close()
            return
        with self.lock:
            self.idle.append(browser)

    def close(self) -> None:
        """End those that are idle."""
        with self.lock:
            idle, self.idle = self.idle, []
        for browser in idle:
            browser.close()


class EpisodeBrowser:
    """The browser of one episode. Every call raises ``WorldFailed`` where it gets no answer; the browser
    is ended then."""

    def __init__(self, browsers: Browsers, begin: Begin):
        self.browsers = browsers
        self.browser: Browser | None = browsers.take()
        try:
            self._ask("begin", **contracts.plain(begin))
        except WorldFailed:  # it died while it was idle
            self.browser = browsers.take()
            self._ask("begin", **contracts.plain(begin))

    def observe(self) -> Seen:
        """The page that is looked at."""
        return self._read(Seen, self._ask("observe"))

    def act(self, action: Action) -> Seen:
        """Do what an action says; what is seen then."""
        return self._read(Seen, self._ask("act", action=vars(action)))

    def goto(self, url: str) -> Seen:
        """Go to an address; what is seen then."""
        return self._read(Seen, self._ask("goto", url=url))

    def evaluate(self, script: str, given: object = None, first: bool = False) -> Found:
        """What a script returns for ``given``, on the page that is looked at or on the ``first`` one."""
        asked = {"script": script, "given": given, "first": first}
        return self._read(Found, self._ask("evaluate", **asked))

    def content(self) -> Found:
        """The source of the page that is looked at."""
        return self._read(Found, self._ask("content"))

    def _read(self, kind: type[Answer], reply: Reply) -> Answer:
        try:
            return contracts.read(kind, reply, "the browser")
        except UserError as error:
            self.close()
            raise WorldFailed(str(error)) from None

    def _ask(self, op: str, **given: object) -> Reply:
        if self.browser is None:
            raise WorldFailed("the browser has ended")
        try:
            return self.browser.ask({"op": op, **given}, STEP)
        except WorldFailed:
            self.browser.close()
            self.browser = None
            raise

    def close(self) -> None:
        """Give the browser back without anything of the episode; may be called twice."""
        browser, self.browser = self.browser, None
        if browser is not None:
            self.browsers.give(browser)

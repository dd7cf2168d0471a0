"""The process that drives a browser: reads lines of JSON, answers each with one.

Run with the interpreter of the environment ``web``. The first line says which ``executable`` is the
browser and which ``origins`` it can reach; then each has an ``op``: begin and end of an episode, goto,
act, observe, evaluate (a script of the benchmark's own, in the episode's first tab or the one that is
looked at) and content. What a page does wrong is an answer; only a browser that is gone is an error.
"""

import contextlib
import json
import os
import shutil
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Error, Playwright, sync_playwright

from lemur.agents.browser.actions import Action
from lemur.agents.browser.descendants import FOLDER, end_below
from lemur.agents.browser.messages import Begin, Found, Seen
from lemur.agents.browser.page import Tabs
from lemur.agents.browser.proxy import Proxy
from lemur.core import contracts

SHOWN = 4_000_000  # characters of a page's content


def launch(playwright: Playwright, executable: str, proxy: Proxy) -> tuple[Browser, bool]:
    """The browser, whose only network is ``proxy``, and whether its own sandbox confines pages.

    That sandbox is used where it can be: Chromium refuses to make one for root ("Running as root
    without --no-sandbox is not supported"), and for anybody else it needs user namespaces, which some
    machines and containers forbid. There pages run as this user, with the proxy as their only network;
    a model's words reach the browser as clicks, keys and listed addresses alone.
    """
    line = [
        f"--proxy-server=http://127.0.0.1:{proxy.port}",
        "--proxy-bypass-list=<-loopback>",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        "--disable-quic",
        "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
        "--js-flags=--max-old-space-size=1024",
        "--disable-lcd-text",
        "--font-render-hinting=none",
    ]

    def start(sandbox: bool) -> Browser:
        return playwright.chromium.launch(
            executable_path=executable, headless=True, args=line, chromium_sandbox=sandbox
        )

    if os.geteuid() != 0:
        with contextlib.suppress(Error):
            return start(True), True
    return start(False), False


class Server:
    """Answers one line after the other, for one episode at a time."""

    def __init__(self, browser: Browser):
        self.browser = browser
        self.tabs: Tabs | None = None

    def answer(self, asked: Mapping[str, Any]) -> Seen | Found | None:
        """What an ``op`` comes to; nothing for one that begins or ends an episode."""
        op, given = asked["op"], {key: asked[key] for key in asked if key != "op"}
        if op in ("begin", "end"):
            if self.tabs is not None:
                self.tabs.close()
            begun = op == "begin"
            self.tabs = Tabs(self.browser, contracts.read(Begin, given, op)) if begun else None
            return None
        tabs = self.tabs
        assert tabs is not None
        if op == "goto":
            return tabs.observe(tabs.goto(given["url"]))
        if op == "act":
            return tabs.observe(tabs.act(contracts.read(Action, given["action"], op)))
        page = tabs.first if given.get("first") else tabs.page
        try:
            if op == "evaluate":
                return Found(value=page.evaluate(given["script"], given.get("given")), url=page.url)
            if op == "content":
                return Found(value=page.content()[:SHOWN], url=page.url)
        except Error as error:
            return Found(page.url, failed=error.message.splitlines()[0][:200])
        return tabs.observe()


def clear() -> None:
    """End the browser, and remove the folder that this process was given as its home."""
    home, until = Path(os.environ.get("HOME", "")), time.monotonic() + 10
    end_below(os.getpid())
    if not home.name.startswith(FOLDER):
        return  # somebody's own
    while home.exists() and time.monotonic() < until:
        shutil.rmtree(home, ignore_errors=True)  # what has just ended may still write there
        time.sleep(0.1)


def end_with(parent: int) -> None:
    """End when the process that started this one is gone, whatever is going on."""
    while os.getppid() == parent:
        time.sleep(1)
    clear()
    os._exit(1)


def main() -> None:
    """Answer until the input ends."""
    threading.Thread(target=end_with, args=(os.getppid(),), daemon=True).start()
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="replace")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)  # what libraries print is no answer

    def answer(value: object) -> None:
        channel.write(json.dumps(value) + "\n")
        channel.flush()

    try:
        settings = json.loads(sys.stdin.readline())
        with sync_playwright() as playwright:
            proxy = Proxy(settings["origins"])
            browser, confined = launch(playwright, settings["executable"], proxy)
            server = Server(browser)
            answer({"confined": confined})
            for line in sys.stdin:
                answer(contracts.plain(server.answer(json.loads(line)) or {}))
    except BrokenPipeError:
        pass
    except Exception as error:
        answer({"error": " ".join(f"{type(error).__name__}: {error}".split())[:300]})
    finally:
        clear()

"""The tabs of one episode: what is asked of the network, what an action does, what is seen.

Runs in the process of ``chromium.py``, with the packages of the environment ``web``. A call that does
not come back is ended from outside, with the process.
"""

import contextlib
import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

from playwright.sync_api import (
    Browser,
    BrowserContext,
    CDPSession,
    Error,
    Page,
    Route,
    WebSocketRoute,
)

from lemur.agents.browser import tree
from lemur.agents.browser.actions import Action
from lemur.agents.browser.messages import Begin, Seen
from lemur.agents.browser.proxy import place

MOST_TABS = 16
ACTION, NAVIGATION, LOAD = 10_000, 20_000, 5_000  # milliseconds
AFTER = 1000  # milliseconds of a page's own clock that pass after an action
BEGAN = 1_704_067_200  # of a page's own clock, in seconds: the first of January 2024
TRIES = 3  # of looking at a page that is just being replaced
BLANK = "about:blank"
KEYS = {"ctrl": "Control", "control": "Control", "meta": "Control", "cmd": "Control",
        "command": "Control", "shift": "Shift", "alt": "Alt", "enter": "Enter", "return": "Enter",
        "esc": "Escape", "escape": "Escape", "tab": "Tab", "space": "Space", "backspace": "Backspace",
        "delete": "Delete", "del": "Delete", "pageup": "PageUp", "pagedown": "PageDown",
        "up": "ArrowUp", "down": "ArrowDown", "left": "ArrowLeft", "right": "ArrowRight",
        "arrowup": "ArrowUp", "arrowdown": "ArrowDown", "arrowleft": "ArrowLeft",
        "arrowright": "ArrowRight", "home": "Home", "end": "End"}  # fmt: skip
SCROLL = "(s) => { const e = document.scrollingElement || document.body; e.scrollTop += s * window.innerHeight; }"
# Nothing has changed for a fifth of a second, or three seconds have passed.
QUIET = """() => new Promise((done) => {
  let timer = setTimeout(done, 200);
  const watch = new MutationObserver(() => { clearTimeout(timer); timer = setTimeout(done, 200); });
  watch.observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
  setTimeout(() => { watch.disconnect(); done(); }, 3000);
})"""
SELECT = """function () {
  const list = this.closest('select');
  if (!list || this.disabled || list.disabled) return false;
  list.focus();
  if (list.multiple) this.selected = !this.selected; else this.selected = true;
  for (const name of ['input', 'change']) list.dispatchEvent(new Event(name, {bubbles: true}));
  return true;
}"""


class Tabs:
    """The tabs of one episode in a context of its own."""

    def __init__(self, browser: Browser, begin: Begin):
        self.origins = {place(url) for url in begin.origins} - {None}
        self.folder = Path(begin.folder).resolve() if begin.folder else None
        self.width, self.height = begin.width, begin.height
        self.context: BrowserContext = browser.new_context(
            viewport={"width": self.width, "height": self.height},
            locale="en-US",
            timezone_id="UTC",
            service_workers="block",
            accept_downloads=False,
            storage_state=begin.state,
        )
        self.context.set_default_timeout(ACTION)
        self.context.set_default_navigation_timeout(NAVIGATION)
        self.context.route("**/*", self._answer)
        self.context.route_web_socket("**/*", self._connect)
        self.clock, self.repeats = begin.clock, begin.repeats
        if self.clock:
            self.context.clock.install(time=BEGAN)
        self.sessions: dict[Page, CDPSession] = {}
        self.elements: dict[int, tree.Element] = {}
        self.page = self.first = self.context.new_page()
        self.targets = browser.new_browser_cdp_session()
        self.own = self._session().send("Target.getTargetInfo")["targetInfo"]["browserContextId"]

    def allowed(self, url: str) -> bool:
        """Whether an address may be asked."""
        return place(url) in self.origins

    def goto(self, url: str) -> str:
        """Go to an address; why not, where it cannot be."""
        if not self.allowed(url):
            return "this address is not of a site that may be visited"
        try:
            self.page.goto(url)
        except Error as error:
            return _short(error)
        finally:
            self._settle()
        return ""

    def act(self, action: Action) -> str:
        """Do what an action says; why not, where it cannot be done."""
        if action.kind == "goto":
            url = action.text if "://" in action.text else f"http://{action.text}"
            return self.goto(url)
        tabs = len(self.context.pages)
        try:
            failed = self._act(action)
            self._settle()
        except Error as error:
            return _short(error)
        self._await_tabs()
        for extra in self.context.pages[MOST_TABS:]:
            extra.close()
        if action.kind in ("click", "press", "type") and len(self.context.pages) > tabs:
            self.page = self.context.pages[-1]
            self.page.bring_to_front()
            self._settle()
        return failed

    def _act(self, action: Action) -> str:
        page, kind = self.page, action.kind
        if kind in ("click", "hover", "type"):
            return self._point(action)
        if kind == "press":
            page.keyboard.press(_keys(action.text))
        elif kind == "scroll":
            page.evaluate(SCROLL, 1 if action.text == "down" else -1)
        elif kind == "new_tab":
            self.page = self.context.new_page()
        elif kind == "close_tab":
            page.close()
            self.page = self.context.pages[-1] if self.context.pages else self.context.new_page()
        elif kind == "tab_focus":
            if action.element is None or action.element >= len(self.context.pages):
                return f"there is no tab {action.element}"
            self.page = self.context.pages[action.element]
            self.page.bring_to_front()
        elif kind == "go_back":
            page.go_back()
        elif kind == "go_forward":
            page.go_forward()
        return ""

    def _point(self, action: Action) -> str:
        element = self.elements.get(action.element or 0)
        if element is None:
            return f"the page has no element {action.element}"
        if action.kind == "click" and element.role == "option" and self._select(element):
            return ""
        x, y = self._middle(element)
        if action.kind == "hover":
            self.page.mouse.move(x, y)
            return ""
        self.page.mouse.click(x, y)
        if action.kind == "type":
            self.page.keyboard.type(action.text)
            if action.enter:
                self.page.keyboard.press("Enter")
        return ""

    def _select(self, element: tree.Element) -> bool:
        """Choose an entry of a list, whose entries the browser draws outside of the page."""
        session = self._session()
        held = session.send("DOM.resolveNode", {"backendNodeId": element.node})["object"][
            "objectId"
        ]
        called = {"objectId": held, "functionDeclaration": SELECT, "returnByValue": True}
        return session.send("Runtime.callFunctionOn", called)["result"].get("value") is True

    def _middle(self, element: tree.Element) -> tuple[float, float]:
        """The middle of what is seen of an element where it is now, else where it was."""
        left, top, wide, high = element.box
        with contextlib.suppress(Error, IndexError, KeyError):
            asked = {"backendNodeId": element.node}
            quad = self._session().send("DOM.getContentQuads", asked)["quads"][0]
            left, top = min(quad[::2]), min(quad[1::2])
            wide, high = max(quad[::2]) - left, max(quad[1::2]) - top
        right, bottom = min(left + wide, self.width), min(top + high, self.height)
        return (max(left, 0.0) + right) / 2, (max(top, 0.0) + bottom) / 2

    def _await_tabs(self) -> None:
        """Wait until tabs that the browser has opened are known here: on a busy machine that takes."""
        found = self.targets.send("Target.getTargets")["targetInfos"]
        count = sum(
            element["type"] == "page" and element.get("browserContextId") == self.own
            for element in found
        )
        until = time.monotonic() + ACTION / 1000
        while len(self.context.pages) < count and time.monotonic() < until:
            self.page.wait_for_timeout(20)

    def _settle(self) -> None:
        """Wait until a page has loaded and stands still; one that goes elsewhere is emptied."""
        for _ in range(TRIES):
            try:
                self.page.wait_for_load_state("load", timeout=LOAD)
                if self.clock:
                    self.context.clock.run_for(AFTER)
                else:
                    self.page.evaluate(QUIET)
                break
            except Error:  # it was replaced meanwhile, or never ends to load
                if self.page.is_closed():
                    pages = self.context.pages
                    self.page = pages[-1] if pages else self.context.new_page()
        for page in self.context.pages:
            if place(page.url) is not None and not self.allowed(page.url):
                page.goto(BLANK)

    def observe(self, failed: str = "") -> Seen:
        """The page that is looked at, after what ``failed`` where that is not empty."""
        for last in range(TRIES):
            try:
                text, self.elements = self._tree()
                break
            except Error:
                if last == TRIES - 1:
                    text, self.elements = "", {}
                self._settle()
        pages = self.context.pages
        return Seen(
            tabs=tuple(page.title()[:200] for page in pages),
            current=pages.index(self.page),
            url=self.page.url,
            tree=text,
            lines={str(number): element.line[:500] for number, element in self.elements.items()},
            failed=failed,
        )

    def _tree(self) -> tuple[str, dict[int, tree.Element]]:
        session = self._session()
        nodes = session.send("Accessibility.getFullAXTree")["nodes"]
        page = session.send("DOMSnapshot.captureSnapshot", {"computedStyles": []})["documents"][0]
        dx, dy = page["scrollOffsetX"], page["scrollOffsetY"]
        numbers, layout = page["nodes"]["backendNodeId"], page["layout"]
        boxes: dict[int, tree.Box] = {}
        for index, (x, y, wide, high) in zip(layout["nodeIndex"], layout["bounds"], strict=True):
            boxes.setdefault(numbers[index], (x - dx, y - dy, wide, high))
        return tree.render(nodes, boxes, self.width, self.height, self.repeats)

    def _session(self) -> CDPSession:
        if self.page not in self.sessions:
            self.sessions[self.page] = self.context.new_cdp_session(self.page)
        return self.sessions[self.page]

    def _answer(self, route: Route) -> None:
        url = route.request.url
        with contextlib.suppress(Error):  # the page is gone
            if not self.allowed(url):
                route.abort("blockedbyclient")
            elif self.folder is None:
                route.continue_()
            else:
                path = (self.folder / unquote(urlsplit(url).path).lstrip("/")).resolve()
                if path.is_relative_to(self.folder) and path.is_file():
                    route.fulfill(path=path)
                else:
                    route.fulfill(status=404, body="no such page")

    def _connect(self, socket: WebSocketRoute) -> None:
        asked = socket.url.replace("ws", "http", 1)
        if self.folder is None and self.allowed(asked):
            socket.connect_to_server()
        else:
            socket.close()

    def close(self) -> None:
        """End all pages and forget what they kept."""
        with contextlib.suppress(Error):
            self.targets.detach()
        self.context.close()


def _keys(text: str) -> str:
    """A combination of keys by the names that the browser knows: ``Ctrl+v`` is ``Control+v``."""
    parts = text.split("+") if text.strip("+") else [text]
    return "+".join(KEYS.get(part.strip().lower(), part.strip()) for part in parts)


def _short(error: Error) -> str:
    return error.message.splitlines()[0][:200]

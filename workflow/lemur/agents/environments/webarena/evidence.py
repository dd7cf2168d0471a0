"""What the judges need of an episode's last state: its address, and texts of pages.

It is gathered where the episode ends and kept in its record, so that it is judged again without the
sites. Scripts are the benchmark's own; nothing that a model said is run.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from lemur.agents.browser.process import EpisodeBrowser
from lemur.agents.environment import Info
from lemur.agents.environments.webarena.sites import Sites
from lemur.agents.environments.webarena.tasks import Call, read_call

LONGEST = 2_000_000  # characters of a text
SECONDS, REPLY = 30, 4 << 20
ROLE = """(account) => {
  const names = [...document.querySelectorAll("td[data-label='Account'] span.gl-avatar-labeled-sublabel")];
  const index = names.findIndex((one) => one.outerText === '@' + account);
  return document.querySelectorAll('td.col-max-role span')[index].outerText;
}"""


class Failed(Exception):
    """What a judge needs cannot be had, in a few words."""


def gather(task: Mapping[str, Any], sites: Sites, episode: EpisodeBrowser) -> Info:
    """``url`` of the last page, and where the task asks for it ``texts``, one a target of its
    ``program_html``; ``failed`` says why they are not whole."""
    evaluation = task["eval"]
    url = episode.evaluate("() => 0").url
    found: Info = {"url": sites.outward(url)}
    if "program_html" not in evaluation["eval_types"]:
        return found
    found["texts"] = []
    try:
        for target in evaluation["program_html"]:
            found["texts"].append(_text(target, url, sites, episode)[:LONGEST])
    except Failed as error:
        found["failed"] = str(error)[:300]
    return found


def _text(target: Mapping[str, Any], last: str, sites: Sites, episode: EpisodeBrowser) -> str:
    place, locator = target["url"], target["locator"]
    if place.startswith("func:"):
        place = _call(read_call(place.removeprefix("func:")), last, sites, episode)
    if place != "last" and (failed := episode.goto(sites.fill(place)).failed):
        raise Failed(f"{sites.outward(sites.fill(place))}: {failed}")
    if not locator.strip():
        return episode.content().text
    if locator.startswith("func:"):
        return _call(read_call(locator.removeprefix("func:")), last, sites, episode)
    for script in target.get("prep_actions", ()):
        if episode.evaluate(f"() => {{ {script} }}").failed is not None:
            break
    return episode.evaluate(f"() => {locator}").text


def _call(call: Call, last: str, sites: Sites, episode: EpisodeBrowser) -> str:
    """What a helper of the original returns."""
    if call.name == "reddit_get_post_url":
        return post_url(last if call.arguments == ("__last_url__",) else call.arguments[0])
    if call.name == "gitlab_get_project_memeber_role":
        return episode.evaluate(ROLE, call.arguments[1]).text
    if call.name == "shopping_get_latest_order_url":
        query = {
            "searchCriteria[sortOrders][0][field]": "created_at",
            "searchCriteria[sortOrders][0][direction]": "DESC",
            "searchCriteria[pageSize]": "1",
        }
        found = _shop(sites, f"/rest/V1/orders?{urlencode(query)}")
        try:
            number = int(found["items"][0]["increment_id"])
        except (KeyError, IndexError, TypeError, ValueError):
            raise Failed("the shop lists no order") from None
        return f"{sites.sites['shopping'].url}/sales/order/view/order_id/{number}/"
    reviews = _shop(sites, f"/rest/V1/products/{quote(call.arguments[0])}/reviews")
    try:
        if not reviews:
            return ""
        review = reviews[-1]
        if call.name.endswith("author"):
            return str(review["nickname"])
        return str(review["ratings"][0]["percent"])
    except (KeyError, IndexError, TypeError):
        raise Failed("the shop's reviews are of another form") from None


def post_url(url: str) -> str:
    """The address of a forum's post, without what follows it (a comment)."""
    parts = urlsplit(url)
    steps = parts.path.split("/")
    if len(steps) < 4 or steps[1] != "f":
        return url
    return f"{parts.scheme}://{parts.netloc}/f/{steps[2]}/{steps[3]}/"


def _shop(sites: Sites, path: str) -> Any:
    """What the shop's interface for programs answers to somebody who may ask."""
    site = sites.sites["shopping"]
    known = {"username": site.username, "password": site.password}
    token = _ask(f"{site.url}/rest/default/V1/integration/admin/token", known, {})
    return _ask(site.url + path, None, {"Authorization": f"Bearer {token}"})


def _ask(url: str, body: Any, headers: dict[str, str]) -> Any:
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(url, data, {"Content-Type": "application/json", **headers})  # noqa: S310 - http, by the site file
    try:
        with urllib.request.urlopen(asked, timeout=SECONDS) as answer:  # noqa: S310
            return json.loads(answer.read(REPLY))
    except (OSError, ValueError) as error:
        raise Failed(f"the shop does not answer: {error}") from None

"""The report in a real browser: quiet, self-contained, readable small, in the dark and by keyboard."""

import base64
import json
import re
from urllib.parse import unquote, urlsplit

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

OPEN = "document.querySelectorAll('details').forEach((one) => { one.open = true; })"


def dark(page):
    page.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": "dark"}]},
    )


def narrow(page):
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": True})  # fmt: skip


def requests_of(page) -> list[str]:
    """Addresses that the page's own frame has asked for since the log was read last.

    The browser's own pages, its start page among them, ask in targets and frames of their own.
    """
    frame = page.execute_cdp_cmd("Page.getFrameTree", {})["frameTree"]["frame"]["id"]
    events = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    return [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
        and event["params"].get("frameId") == frame
    ]


def test_the_console_is_quiet_and_no_request_leaves_the_file(page, report):
    page.execute_script(OPEN)
    assert page.get_log("browser") == []
    urls = requests_of(page)
    assert report.as_uri() in urls
    assert [url for url in urls if url != report.as_uri() and not url.startswith("data:")] == []


def test_a_request_of_the_pages_frame_would_be_counted(page, tmp_path):
    """What the test above would not see if it looked at another frame or too early."""
    (tmp_path / "asks.html").write_text("<script>fetch('http://127.0.0.1:9/asked').catch(() => 0)</script>")  # fmt: skip
    page.get((tmp_path / "asks.html").as_uri())
    page.execute_async_script("setTimeout(arguments[0], 200)")
    assert "http://127.0.0.1:9/asked" in requests_of(page)


def test_the_policy_stops_a_request_that_a_script_would_make(page):
    """What the test above would not see if the policy were not in force."""
    page.execute_async_script("const done = arguments[0]; const image = new Image(); image.onerror = image.onload = () => done(); image.src = 'https://example.org/x.png'")  # fmt: skip
    said = " ".join(entry["message"] for entry in page.get_log("browser"))
    assert "Content Security Policy" in said


def test_planted_markup_is_text(page):
    page.execute_script(OPEN)
    assert page.execute_script("return window.planted") is None
    assert page.execute_script("return document.scripts.length") == 1
    images = page.find_elements(By.TAG_NAME, "img")
    assert all(image.get_attribute("src").startswith("data:image/svg+xml") for image in images)


def test_every_picture_has_a_text_alternative(page):
    for image in page.find_elements(By.TAG_NAME, "img"):
        assert image.get_attribute("alt").strip()
        assert page.execute_script("return arguments[0].naturalWidth", image) > 0, "does not draw"
        described = image.get_attribute("aria-describedby")
        text = page.find_element(By.ID, described).get_attribute("textContent")
        assert len(text) > 20
    drawings = page.find_elements(By.CSS_SELECTOR, "svg:not([aria-hidden=true])")
    assert drawings
    for drawing in drawings:
        assert drawing.get_attribute("role") == "img"
        assert drawing.find_element(By.TAG_NAME, "title").get_attribute("textContent").strip()


def test_every_link_leads_somewhere(page, report):
    found = page.execute_script("return [...document.querySelectorAll('a')].map((one) => one.getAttribute('href'))")  # fmt: skip
    assert len(found) > 20
    for href in found:
        if href.startswith("#"):
            assert page.find_elements(By.ID, href[1:]), href
        elif href.startswith("data:text/csv;base64,"):
            assert base64.b64decode(href.split(",", 1)[1])
        else:
            assert not urlsplit(href).scheme, href
            assert (report.parent / unquote(href)).is_file(), href


@pytest.mark.parametrize("opened", [False, True])
def test_nothing_is_wider_than_a_telephone(page, opened):
    narrow(page)
    if opened:
        page.execute_script(OPEN)
    assert page.execute_script("return document.documentElement.scrollWidth") <= 400
    # What is wide scrolls inside its own region, which the keyboard reaches.
    wide = page.execute_script("return [...document.querySelectorAll('.scroll')].filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.tabIndex)")  # fmt: skip
    assert all(index == 0 for index in wide)


def test_no_table_hides_a_column_on_a_desktop(page):
    """Drop reasons and links to verdicts are seen without scrolling sideways."""
    page.execute_script(OPEN)
    wide = page.execute_script("return [...document.querySelectorAll('.scroll')].filter((one) => one.scrollWidth > one.clientWidth).map((one) => [one.ariaLabel, one.scrollWidth, one.clientWidth])")  # fmt: skip
    assert wide == []


def test_letters_of_figures_can_be_read_on_a_telephone(page):
    narrow(page)
    images = page.find_elements(By.TAG_NAME, "img")
    assert len(images) > 5
    for image in images:
        svg = base64.b64decode(image.get_attribute("src").split(",", 1)[1]).decode()
        width = float(re.search(r'viewBox="0 0 ([\d.]+)', svg)[1])
        sizes = [100 * float(size) for size in re.findall(r"scale\((0\.\d+) -", svg)]
        smallest = min(sizes) * image.size["width"] / width
        assert smallest >= 11, (image.get_attribute("alt"), smallest)


def test_the_models_answers_stand_side_by_side(page):
    """In one row where there is room, below each other on a telephone; nothing of them is live."""
    answers = page.find_elements(By.CSS_SELECTOR, "#samples ~ details[open] .answers > div")
    heads = [answer.find_element(By.TAG_NAME, "h4").text for answer in answers]
    assert [head.split(":")[0] for head in heads] == ["start (instruct, 4-bit)", "pretrained", "chat"]  # fmt: skip
    assert len({answer.rect["y"] for answer in answers}) == 1
    narrow(page)
    assert len({answer.rect["y"] for answer in answers}) == 3


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_axe_finds_no_serious_violation(page, axe, colours, width):
    if colours == "dark":
        dark(page)
    if width == 400:
        narrow(page)
    page.execute_script(OPEN)
    page.execute_script(axe)
    page.set_script_timeout(120)
    found = page.execute_async_script("const done = arguments[0]; axe.run(document, {resultTypes: ['violations']}).then((r) => done({violations: r.violations.map((v) => [v.impact, v.id, v.nodes.slice(0, 3).map((n) => n.html)]), passes: r.passes.length}))")  # fmt: skip
    assert found["passes"] > 20
    assert [
        violation for violation in found["violations"] if violation[0] in ("serious", "critical")
    ] == []


def test_light_and_dark_differ(page):
    def ground():
        return page.execute_script("return getComputedStyle(document.documentElement).backgroundColor")  # fmt: skip

    light = ground()
    dark(page)
    assert light == "rgb(255, 255, 255)" and ground() == "rgb(21, 24, 29)"


def test_the_keyboard_reaches_the_content_and_sorts_a_table(page):
    body = page.find_element(By.TAG_NAME, "body")
    body.send_keys(Keys.TAB)
    skip = page.switch_to.active_element
    assert skip.get_attribute("href").endswith("#main") and skip.rect["x"] >= 0
    table = page.find_element(By.CSS_SELECTOR, "#corpus ~ .scroll table")
    head = table.find_elements(By.CSS_SELECTOR, "th[scope=col]")[3]
    button = head.find_element(By.TAG_NAME, "button")
    for wanted in ("ascending", "descending"):
        button.send_keys(Keys.ENTER)
        assert head.get_attribute("aria-sort") == wanted
        cells = table.find_elements(By.CSS_SELECTOR, "tbody tr td:nth-child(4)")
        values = [float(cell.get_attribute("textContent")) for cell in cells]
        assert values == sorted(values, reverse=wanted == "descending")


def test_sizes_sort_by_what_they_are(page):
    """Kilobytes among megabytes, in the datasheet's first table with sizes."""
    units = {"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9}
    heads = page.find_elements(By.XPATH, "//section[h2[@id='datasheet']]//th[button]")
    named = {head.get_attribute("textContent"): head for head in heads}
    head = named.get("size") or named["downloaded"]
    table = head.find_element(By.XPATH, "ancestor::table")
    column = head.find_elements(By.XPATH, "preceding-sibling::th")
    head.find_element(By.TAG_NAME, "button").send_keys(Keys.ENTER)
    cells = table.find_elements(By.CSS_SELECTOR, f"tbody td:nth-child({len(column) + 1})")
    texts = [cell.get_attribute("textContent").split() for cell in cells]
    sizes = [float(number) * units[unit] for number, unit in texts]
    assert len(sizes) > 2 and sizes == sorted(sizes)


@pytest.mark.parametrize("width, height", [(1280, 800), (400, 800)])
def test_the_first_screen_says_what_is_claimed_and_what_is_found(page, width, height):
    """Before anything is scrolled: how many claims have which verdict; on a desktop, the first ones."""
    mobile = width == 400
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile})  # fmt: skip
    page.execute_script("window.scrollTo(0, 0)")
    seen = page.find_elements(By.CSS_SELECTOR, ".verdicts li")
    assert len(seen) == 4
    assert all(one.rect["y"] + one.rect["height"] <= height for one in seen)
    counts = {key: int(number) for number, key in (one.text.split(maxsplit=1) for one in seen)}
    listed = page.find_elements(By.CSS_SELECTOR, ".claims li")
    assert sum(counts.values()) == len(listed) >= 20
    if not mobile:
        whole = [one for one in listed if one.rect["y"] + one.rect["height"] <= height]
        assert len(whole) >= 2
    own = page.find_element(By.ID, "ours")
    assert own.rect["y"] > listed[-1].rect["y"]  # verdicts first, then ours


def test_each_claim_can_be_shown(page):
    """Its rule, what it would take, and the numbers where they stand on the page."""
    page.execute_script(OPEN)
    for find_element in page.find_elements(By.CSS_SELECTOR, ".claims li"):
        assert find_element.find_element(By.TAG_NAME, "code").text
        for link in find_element.find_elements(By.CSS_SELECTOR, "a"):
            assert page.find_elements(By.ID, link.get_attribute("href").rsplit("#")[1])


def test_each_score_beside_the_papers_leads_to_its_files(page):
    assert page.find_elements(By.CSS_SELECTOR, "#beside ~ .scroll table tbody tr")
    links = page.find_elements(By.CSS_SELECTOR, "#foundation td.files a")
    texts = {link.get_attribute("textContent").split(" of ")[0] for link in links}
    assert texts == {"prompt", "answers", "verdicts", "settings"}


def test_it_prints_on_white_without_controls(page):
    dark(page)
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": [{"name": "prefers-color-scheme", "value": "dark"}]})  # fmt: skip
    assert page.execute_script("return getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"  # fmt: skip
    assert not page.find_element(By.TAG_NAME, "nav").is_displayed()
    # A4 less its margins: nothing that a reader on paper could not scroll to.
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": 718, "height": 1000, "deviceScaleFactor": 1, "mobile": False})  # fmt: skip
    wide = page.execute_script("return [...document.querySelectorAll('.scroll')].filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.ariaLabel)")  # fmt: skip
    assert wide == []
    printed = page.execute_cdp_cmd("Page.printToPDF", {"paperWidth": 8.27, "paperHeight": 11.69})
    assert base64.b64decode(printed["data"]).startswith(b"%PDF")

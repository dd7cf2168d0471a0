"""The pages of episodes in a real browser, with a model whose every word attacks them."""

import pytest
from hostile_episode import SHOWN
from selenium.webdriver.common.by import By
from test_report import OPEN, narrow


@pytest.fixture
def episode(page, report):
    """The hostile episode, reached from the report's table by its links."""
    links = page.find_elements(By.CSS_SELECTOR, "#live_agents td.files a")
    (link,) = [x for x in links if x.get_attribute("href").endswith("/start/guessing/pages/index.html")]  # fmt: skip
    page.get(link.get_attribute("href"))
    page.find_element(By.LINK_TEXT, "guess/0").click()
    assert page.current_url.endswith("/agents/start/guessing/pages/0001.html")
    return page


def test_what_a_model_says_is_text_in_a_browser(episode):
    episode.execute_script(OPEN)
    blocks = episode.execute_script("return [...document.querySelectorAll('pre')].map((one) => one.textContent)")  # fmt: skip
    assert blocks[:5] == [SHOWN] * 5
    assert episode.execute_script("return window.planted") is None
    for selector in ("script", "img", "base", "iframe", "textarea", "a[href^=javascript]"):
        assert not episode.find_elements(By.CSS_SELECTOR, selector), selector
    assert len(episode.find_elements(By.TAG_NAME, "style")) == 1
    assert episode.find_element(By.ID, "turn-2").is_displayed()
    assert episode.get_log("browser") == []


def test_an_episode_fits_a_telephone_and_leads_on(episode):
    narrow(episode)
    episode.execute_script(OPEN)
    assert episode.execute_script("return document.documentElement.scrollWidth") <= 400
    episode.find_element(By.LINK_TEXT, "Next episode").click()
    assert episode.find_element(By.TAG_NAME, "h1").text == "guess/1"
    episode.find_element(By.LINK_TEXT, "All episodes").click()
    assert episode.execute_script("return document.documentElement.scrollWidth") <= 400


@pytest.mark.parametrize("name", ["0001.html", "index.html"])
def test_axe_finds_no_serious_violation_on_an_episode(episode, axe, name):
    episode.get(episode.current_url.replace("0001.html", name))
    episode.execute_script(OPEN)
    episode.execute_script(axe)
    episode.set_script_timeout(120)
    found = episode.execute_async_script("const done = arguments[0]; axe.run(document, {resultTypes: ['violations']}).then((r) => done(r.violations.map((v) => [v.impact, v.id, v.nodes.slice(0, 3).map((n) => n.html)])))")  # fmt: skip
    assert [one for one in found if one[0] in ("serious", "critical")] == []

"""A report made once, headless Chromium with its driver (Debian's), and axe-core from npm."""

import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from lemur.core.provenance import ROOT
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

AXE = {
    "name": "axe-core", "licence": "MPL-2.0", "size": 708_405,
    "from": {"index": "npm", "package": "axe-core", "version": "4.14.1", "file": "axe-core-4.14.1.tgz"},
    "sha256": "e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745",
}  # fmt: skip


def in_environment(name, *command):
    return subprocess.run(
        [str(ROOT / "workflow" / "env-run"), name, "python", *map(str, command)],
        capture_output=True, text=True,
    )  # fmt: skip


@pytest.fixture(scope="session")
def report(tmp_path_factory):
    """The report of a tiny run, or of the run that LEMUR_SMOKE_RUN names."""
    if there := os.environ.get("LEMUR_SMOKE_RUN"):
        return Path(there).resolve() / "results" / "smoke" / "report.html"
    folder = tmp_path_factory.mktemp("run")
    done = in_environment("figures", Path(__file__).with_name("made_report.py"), folder)
    assert done.returncode == 0, done.stderr
    return folder / "results" / "mini" / "report.html"


@pytest.fixture(scope="session")
def axe():
    """The source of axe-core, fetched and verified by the project's own downloader."""
    manifest = ROOT / "resources" / "inspect" / "axe-core" / "manifest.json"
    if not manifest.is_file():
        done = in_environment("data", ROOT / "scripts/1_corpus/download.py", "--spec", json.dumps(AXE), "--out", manifest)  # fmt: skip
        if done.returncode:
            pytest.skip(f"network: axe-core: {done.stderr.strip().splitlines()[-1]}")
    with tarfile.open(manifest.parent / "files" / AXE["from"]["file"]) as archive:
        return archive.extractfile("package/axe.min.js").read().decode()


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not browser or not driver:
        pytest.skip("browser: chromium or its driver is missing: apt-get install chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for switch in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage",
                   "no-first-run", "disable-background-networking", "disable-component-update",
                   f"user-data-dir={tmp_path_factory.mktemp('profile')}"):  # fmt: skip
        options.add_argument(f"--{switch}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    started = webdriver.Chrome(options=options, service=Service(executable_path=driver))
    yield started
    started.quit()


@pytest.fixture
def page(chromium, report):
    """The report, freshly loaded at 1280 x 900 in light colours."""
    chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": 1280, "height": 900, "deviceScaleFactor": 1, "mobile": False})  # fmt: skip
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    # Away from the browser's start page, which asks for what it draws when it likes.
    chromium.get("about:blank")
    chromium.get_log("browser"), chromium.get_log("performance")
    chromium.get(report.as_uri())
    # A loaded machine may draw a page long after its load event, and its driver calls text that
    # is not drawn yet empty: two frames are awaited, by when the page's script has run as well.
    chromium.execute_async_script("const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(done))")  # fmt: skip
    return chromium

"""Take the README's picture of a report: screenshot.py results/mini/report.html reports/screenshot.png

workflow/env-run inspect python tests/inspect/screenshot.py results/mini/report.html reports/screenshot.png
"""

import shutil
import sys
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service


def main(report, out):
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not browser or not driver:
        sys.exit("error: chromium or its driver is missing: apt-get install chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for switch in ("headless=new", "no-sandbox", "disable-gpu", "hide-scrollbars"):
        options.add_argument(f"--{switch}")
    page = webdriver.Chrome(options=options, service=Service(executable_path=driver))
    try:
        page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": 1100, "height": 1500, "deviceScaleFactor": 1, "mobile": False})  # fmt: skip
        page.get(Path(report).resolve().as_uri())
        page.save_screenshot(str(out))
    finally:
        page.quit()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

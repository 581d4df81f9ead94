"""What Run costs a reader in Chromium, over loopback: bytes and seconds, medians of some runs.

    python tests/benchmarks/bench_live_page.py --runs 5

Each run has a profile of its own: Run on the first block of a page, on two later ones, and on the
first again after a reload, when the files come from the browser's storage. To reach: 9.9 MB, 2 s
until the first output beyond its own time, 0.3 s for a later block. The machine must be idle.
"""

import argparse
import shutil
import statistics
import sys
from threading import Thread
from time import perf_counter

from playwright.sync_api import sync_playwright

from sitekit import ROOT
from sitekit.published.serve import HOST, server

SITE = ROOT / "site"
PAGE = "en/mean/"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
BLOCKS = "[data-run]:not([data-not-here])"


def ran(tab, i: int) -> float:
    """The seconds from Run on a block to the end of it."""
    button = tab.locator(BLOCKS).nth(i).locator(".run button").first
    start = perf_counter()
    button.click()
    tab.wait_for_function("x => x.ariaDisabled === 'false'", arg=button.element_handle(), polling=5)
    return perf_counter() - start


def measured(browser, address: str) -> tuple[float, ...]:
    """Megabytes for the first Run; seconds for it, for two later ones, and after a reload."""
    context = browser.new_context()
    tab = context.new_page()
    tab.goto(address, wait_until="networkidle")
    sizes = []
    tab.on("requestfinished", lambda request: sizes.append(request.sizes()["responseBodySize"]))
    times = [ran(tab, i) for i in range(3)]
    megabytes = sum(sizes) / 1e6
    tab.reload(wait_until="networkidle")
    times.append(ran(tab, 0))
    context.close()
    return megabytes, *times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not found or not (SITE / "live/manifest.json").is_file():
        sys.exit("This takes Chromium or Chrome, and a site whose blocks run: run `make build`.")
    with server(SITE, 0) as web, sync_playwright() as playwright:
        Thread(target=web.serve_forever, daemon=True).start()
        address = f"http://{HOST}:{web.server_port}/{PAGE}"
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        rows = [measured(browser, address) for _ in range(runs)]
        browser.close()
        web.shutdown()
    names = ("MB", "s at the first Run", "s at the second", "s at the third", "s after a reload")
    for name, values in zip(names, zip(*rows, strict=True), strict=True):
        print(f"{statistics.median(values):6.2f} {name}")


if __name__ == "__main__":
    main()

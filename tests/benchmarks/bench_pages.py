"""What Lighthouse finds on the pages of the built site, as on a slow phone: medians of five runs.

Each run starts a browser of its own. The pages come from this machine, compressed as a host would;
Lighthouse works out how long a slow network and a slow phone would take, so the machine must be
idle. To reach: 100 for all but performance, and the largest content (LCP) within a second. What
costs a point of the other three is named below the table. All pages take two hours; a few of them:

    python tests/benchmarks/bench_pages.py --pages en zh/travel --runs 3
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from threading import Thread

from sitekit import ROOT
from sitekit.published.build import LANGUAGES
from sitekit.published.serve import HOST, server

VERSION = "12.8.2"  # the last that runs on Node.js 18 and 20
INSTALLED = Path(sys.prefix, "lighthouse")
SITE = ROOT / "site"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
)
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")


def needed(name: str, *commands: str) -> str:
    """The first of these commands that is there."""
    found = next(filter(None, map(shutil.which, commands)), None)
    return found or sys.exit(f"{name} was not found, so no page was measured: install it.")


def install(npm: str) -> Path:
    """Lighthouse in the virtual environment; npm runs none of the scripts that packages bring."""
    package = INSTALLED / "node_modules/lighthouse/package.json"
    if not package.is_file() or json.loads(package.read_text("utf-8"))["version"] != VERSION:
        quiet = ("--silent", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock")
        INSTALLED.mkdir(exist_ok=True)
        command = [npm, "install", *quiet, "--prefix", INSTALLED, f"lighthouse@{VERSION}"]
        if subprocess.run(command).returncode:
            sys.exit(f"npm could not install lighthouse@{VERSION}, so no page was measured.")
    return package.with_name("cli") / "index.js"


def all_pages() -> list[str]:
    """`en`, `en/mean` and so on."""
    return sorted(
        index.parent.relative_to(SITE).as_posix()
        for language in LANGUAGES
        for index in (SITE / language).rglob("index.html")
    )


def report(command: list[str], url: str, browser: str) -> dict:
    """What one run found."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "report.json")
        subprocess.run(
            [*command, url, "--output=json", f"--output-path={file}"],
            check=True,
            env=os.environ | {"CHROME_PATH": browser},
        )
        found = json.loads(file.read_text("utf-8"))
    if error := found.get("runtimeError"):
        sys.exit(f"Lighthouse could not load {url}: {error['message']}")
    return found


def values(found: dict) -> list[float]:
    """The score of each category from 0 to 100, the seconds to the largest content, the KB."""
    scores = [100 * (found["categories"][name]["score"] or 0) for name in CATEGORIES]
    audits = found["audits"]
    seconds = audits["largest-contentful-paint"]["numericValue"] / 1e3
    return [*scores, seconds, audits["total-byte-weight"]["numericValue"] / 1024]


def lost(found: dict) -> list[str]:
    """The audits that cost a point, but for those that measure time."""
    return [
        f"{name}: {audit['id']}"
        for name in CATEGORIES[1:]
        for audit in found["categories"][name]["auditRefs"]
        if audit["weight"]
        and (found["audits"][audit["id"]]["score"] or 0) < 1
        and found["audits"][audit["id"]]["scoreDisplayMode"] != "notApplicable"
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pages", nargs="+", metavar="PAGE", help="such as en or zh/travel")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    pages = all_pages()
    if unknown := set(options.pages or ()) - set(pages):
        parser.error(f"{SITE} has no page {', '.join(sorted(unknown))}: run `make build`")
    if not pages or options.runs < 1:
        parser.error("this takes a built site (run `make build`) and one run at least")
    node, npm = needed("Node.js", "node"), needed("npm", "npm")
    browser = needed("Chromium or Chrome", *BROWSERS)
    command = [node, install(npm), "--quiet", "--no-enable-error-reporting"]
    command += [f"--only-categories={','.join(CATEGORIES)}", f"--chrome-flags={FLAGS}"]

    width = max(map(len, pages))
    heads = ("performance", "accessibility", "practices", "SEO", "LCP, s", "KB")
    print(" " * width, *heads, sep="  ")
    costs = {}
    with server(SITE, 0) as web:
        Thread(target=web.serve_forever, daemon=True).start()
        for page in options.pages or pages:
            url = f"http://{HOST}:{web.server_port}/{page}/"
            runs = [report(command, url, browser) for _ in range(options.runs)]
            middle = [statistics.median(row) for row in zip(*map(values, runs), strict=True)]
            digits = (0, 0, 0, 0, 1, 0)
            row = [
                f"{value:{len(head)}.{places}f}"
                for head, value, places in zip(heads, middle, digits, strict=True)
            ]
            print(f"{page:{width}}", *row, sep="  ", flush=True)
            for audit in dict.fromkeys(audit for run in runs for audit in lost(run)):
                costs.setdefault(audit, []).append(page)
        web.shutdown()
    for audit, where in costs.items():
        print(f"costs a point of {audit}, on {', '.join(where)}")


if __name__ == "__main__":
    main()

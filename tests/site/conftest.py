"""The site, built once, served as `make serve` serves it, and a real browser."""

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from urllib.parse import urljoin

import pytest
from addresses import SITE_URL
from bs4 import BeautifulSoup
from playwright.sync_api import sync_playwright

from sitekit.published.serve import HOST, server

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("built") / "site"
    subprocess.run(
        [sys.executable, "-m", "sitekit.published.build", "--out", out],
        check=True,
        env=os.environ | {"SITE_URL": SITE_URL, "REPO_URL": "https://github.com/someone/masking"},
    )
    return out


@pytest.fixture(scope="session")
def documents(site):
    """Every HTML file of the site, by the address that it will be published at."""
    return {
        urljoin(SITE_URL, file.relative_to(site).as_posix().removesuffix("index.html")): (
            BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser")
        )
        for file in site.rglob("*.html")
    }


@contextmanager
def serving(directory: Path):
    with server(directory, 0) as web:
        Thread(target=web.serve_forever, daemon=True).start()
        yield f"http://{HOST}:{web.server_port}/"
        web.shutdown()


@pytest.fixture(scope="session")
def address(site):
    """The site at the root of a host."""
    with serving(site) as url:
        yield url


@pytest.fixture(scope="session")
def sub_address(site, tmp_path_factory):
    """The same site below /some/repo/, as GitHub Pages would publish it."""
    host = tmp_path_factory.mktemp("host")
    (host / "some").mkdir()
    (host / "some/repo").symlink_to(site)
    with serving(host) as url:
        yield f"{url}some/repo/"


@pytest.fixture(scope="session")
def browser():
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not found:
        reason = "no Chromium or Chrome found; to install one: sudo apt-get install chromium"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=found, args=FLAGS.split())


@pytest.fixture
def open_page(browser):
    """Open an address in a fresh profile; options are Playwright's for a context."""
    contexts = []

    def open_(url, **options):
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.goto(url)
        return page

    yield open_
    for context in contexts:
        context.close()

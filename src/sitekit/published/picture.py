"""Renews the pictures: python -m sitekit.published.picture

Those in the README are taken from the built site; the cards of links are drawn.
"""

import shutil
from threading import Thread

from playwright.sync_api import sync_playwright

from sitekit.published import card
from sitekit.published.build import LANGUAGES, ROOT
from sitekit.published.serve import HOST, server

PAGE = "mean"
WIDTH, HEIGHT = 660, 760
FRAME = '<iframe src="{0}" width="{1}" height="{2}" style="border: 0"></iframe>'


def main() -> None:
    browser_path = shutil.which("chromium") or shutil.which("google-chrome")
    frames = "".join(FRAME.format(f"{lang}/{PAGE}/", WIDTH, HEIGHT) for lang in sorted(LANGUAGES))
    with server(ROOT / "site", 0) as web, sync_playwright() as playwright:
        Thread(target=web.serve_forever, daemon=True).start()
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        for scheme in ("light", "dark"):
            size = {"width": WIDTH * len(LANGUAGES), "height": HEIGHT}
            page = browser.new_page(viewport=size, color_scheme=scheme)
            page.goto(f"http://{HOST}:{web.server_port}/robots.txt")
            page.set_content(f'<body style="margin: 0; display: flex">{frames}</body>')
            page.wait_for_load_state("networkidle")
            page.screenshot(path=ROOT / f"docs/shared/site-{scheme}.png")
        card.draw(browser)
        browser.close()
        web.shutdown()


if __name__ == "__main__":
    main()

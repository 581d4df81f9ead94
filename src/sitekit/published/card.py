"""Draws the cards that chats and social networks show for a link to a page, one per language."""

from pathlib import Path

from jinja2 import Template
from playwright.sync_api import Browser

from sitekit import ROOT
from sitekit.drawn.parts import IDS, mask_grid
from sitekit.drawn.texts import words
from sitekit.measured import accuracy
from sitekit.published.build import LANGUAGES

WIDTH, HEIGHT = 1200, 630
CLAIMS = {
    "en": """Accuracy of a Transformer without masks
when the same recordings are padded further.
With right masks it stays at {right}.""",
    "zh": """一个 Transformer，训练时不用掩码：
同样的录音多填充一些，准确率就降了下来。
掩码正确时，始终是 {right}。""",
}


def html(language: str) -> str:
    """The card as a page of its own, with the numbers of the home page."""
    ways = accuracy.results()["transformer"]
    # tested without padding, with as much as in training, and with more and more
    without, right = (ways[way][accuracy.STEPS[0]].mean(0) for way in ("none", "right"))
    return Template(Path(__file__).with_name("card.html").read_text(encoding="utf-8")).render(
        language=language,
        style=(ROOT / "docs/theme/assets/site.css").read_text(encoding="utf-8"),
        name=LANGUAGES[language]["SITE_NAME"],
        before=f"{without[1]:.0%}",
        after=f"{without[-1]:.0%}",
        claim=CLAIMS[language].format(right=f"{right[-1]:.0%}"),
        mask=mask_grid(words("travel-chain", language)("mask"), IDS != 0).svg(),
    )


def draw(browser: Browser) -> None:
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
    for language in LANGUAGES:
        page.set_content(html(language))
        page.screenshot(path=ROOT / f"docs/shared/card-{language}.png")

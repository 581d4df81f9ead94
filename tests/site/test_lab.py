"""The plots of the notebook are parts of its page."""

import re
from pathlib import Path

import pytest
from addresses import SITE_URL, path_of

from sitekit.pages import notebook
from sitekit.pages.page import Site
from sitekit.published.build import LANGUAGES, ROOT
from sitekit.published.plots import in_page

PLOT = """<svg width="9pt" viewBox="0 0 9 6"><metadata/><g id="figure_1">
<path id="m1" style="fill: none; stroke: #1f77b4"/><use xlink:href="#m1"/>
<text style="font-size: 10px; font-family: 'A', sans-serif;" transform="rotate(-0 1 2)">a</text>
</g></svg>"""


def test_a_plot_takes_colours_and_fonts_of_the_page():
    assert in_page(PLOT, "one", "a < b") == (
        '<svg viewBox="0 0 9 6" width="12" height="8" role="img" aria-label="a &lt; b"><g>'
        '<path id="one-0" fill="none" stroke="var(--link)"/><use href="#one-0"/>'
        '<text font-size="10px">a</text></g></svg>'
    )


@pytest.mark.parametrize(
    ("svg", "label", "message"),
    [
        (PLOT, "", "say what the plot shows"),
        (PLOT.replace("text", "path"), "a", "its text is text: set"),
        (PLOT.replace("#1f77b4", "#123456"), "a", "no counterpart in the dark: #123456; use one"),
    ],
)
def test_a_plot_that_not_all_could_read_is_refused(svg, label, message):
    with pytest.raises(ValueError, match=message):
        in_page(svg, "one", label)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_plot_is_drawn_in_the_page_and_named_in_its_language(documents, language):
    drawn = documents[SITE_URL + path_of(language, "lab")].select("article figure.plot > svg")
    cells = notebook.read(Site(ROOT), Path("docs", language, "lab.ipynb")).cells
    assert [svg["aria-label"] for svg in drawn] == [cell.alt for cell in cells if cell.alt]
    for svg in drawn:
        assert bool(re.search("[\u3400-\u9fff]", svg.text)) == (language == "zh")
        assert svg.text.strip() and not re.search("#[0-9a-f]{6}|<style", str(svg))
    ids = [tag["id"] for svg in drawn for tag in svg.select("[id]")]
    assert len(ids) == len(set(ids))

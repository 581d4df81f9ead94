"""What a copy button puts on the clipboard is exactly what the checks ran."""

import json

import pytest
from addresses import PAGES, path_of

from sitekit.pages.page import Site
from sitekit.published.build import LANGUAGES, ROOT


def shown(language: str, page: str) -> list[tuple[str, str]]:
    """Every block of a page that is not an output: its language and its code."""
    site = Site(ROOT)
    if f"{page}.md" in site.names(language):
        fences = site.page(language, f"{page}.md").fences
        return [(fence.language, fence.code) for fence in fences if fence.language != "output"]
    notebook = site.folder(language) / f"{page}.ipynb"
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [("python", "".join(cell["source"])) for cell in cells if cell["cell_type"] == "code"]


def typed(language: str, code: str) -> str:
    """What a reader wants of a block: of a session in a terminal, what was typed."""
    if language != "console":
        return code
    return "\n".join(line[2:] for line in code.splitlines() if line.startswith("$ "))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", PAGES)
def test_the_copy_buttons_copy_exactly_what_runs(open_page, address, language, page):
    tab = open_page(
        address + path_of(language, page), permissions=["clipboard-read", "clipboard-write"]
    )
    copied = []
    for button in tab.locator("article .md-code__button:visible").all():
        button.click()
        copied.append(tab.evaluate("navigator.clipboard.readText()"))
    # the theme leaves out the last line's end
    assert copied == [typed(*block).rstrip() for block in shown(language, page)]

"""Every page of both languages in a real browser, opened once."""

import json
from types import SimpleNamespace

import pytest
from access import DESKTOP, PHONE, check_access
from addresses import PAGES, path_of
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from sitekit.pages.page import Site
from sitekit.published.build import LANGUAGES, ROOT

# the lab carries its plots
TEACHING = [page for page in PAGES if page != "lab"]


@pytest.fixture(
    scope="module",
    params=[(language, page) for page in PAGES for language in LANGUAGES],
    ids=lambda param: "-".join(param),
)
def visit(browser, sub_address, request):
    """A page from a sub-path, with an empty cache, and what happened while it loaded."""
    language, page = request.param
    context = browser.new_context(
        permissions=["clipboard-read", "clipboard-write"], reduced_motion="reduce"
    )
    tab = context.new_page()
    troubles, finished = [], []
    tab.on("console", lambda m: troubles.append(f"{m.type}: {m.text}"))
    tab.on("pageerror", lambda error: troubles.append(str(error)))
    tab.on("requestfailed", lambda request: troubles.append(f"failed: {request.url}"))
    tab.on("requestfinished", lambda request: finished.append(request))
    tab.goto(sub_address + path_of(language, page), wait_until="networkidle")
    yield SimpleNamespace(
        language=language, page=page, tab=tab, troubles=troubles, finished=finished
    )
    context.close()


def test_it_loads_whole_quietly_and_from_its_own_origin(visit, sub_address):
    """A teaching page within 200 KB compressed."""
    urls = [request.url for request in visit.finished]
    assert not visit.troubles
    assert all(url.startswith((sub_address, "data:", "blob:")) for url in urls), urls
    answers = [r.response() for r in visit.finished if r.url.startswith("http")]
    assert all(answer.status < 400 for answer in answers)
    weight = sum(
        request.sizes()["responseBodySize"]
        for request in visit.finished
        if "/search/search_index.json" not in request.url
    )
    if visit.page in TEACHING:
        assert 10_000 < weight <= 200 * 1024, f"{weight / 1024:.0f} KB"


def test_it_can_be_scanned(visit):
    """At most 12,000 px tall at 1,300 px wide, but for what is looked up by name."""
    if visit.page.startswith("reference/") or visit.page == "messages":
        return
    visit.tab.set_viewport_size({"width": 1300, "height": 900})
    height = visit.tab.evaluate("document.querySelector('article').scrollHeight")
    assert height <= 12_000


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


def test_the_copy_buttons_copy_exactly_what_runs(visit):
    visit.tab.evaluate("document.querySelectorAll('details').forEach(x => { x.open = true })")
    # the theme leaves out the last line's end
    expected = [typed(*block).rstrip() for block in shown(visit.language, visit.page)]
    buttons = visit.tab.locator("article .md-code__button:visible")
    expect(buttons).to_have_count(len(expected), timeout=30_000)  # a script adds them
    for button, code in zip(buttons.all(), expected, strict=True):
        button.click()
        assert visit.tab.evaluate("navigator.clipboard.readText()") == code


def test_it_is_accessible(visit):
    visit.tab.evaluate(Axe().axe_script)
    # the words of a block have the same few colours everywhere, and are most of a page
    visit.tab.evaluate(
        "document.querySelectorAll('pre code').forEach(x => { x.textContent = x.textContent })"
    )
    # pages of both languages have the same parts, so each shows one half of the ways to look
    check_access(visit.tab, *(("light", DESKTOP) if visit.language == "en" else ("dark", PHONE)))


@pytest.mark.parametrize("page", PAGES)
def test_it_reads_without_javascript(open_page, address, page):
    """In English; Chinese pages have the same parts."""
    tab = open_page(address + path_of("en", page), java_script_enabled=False, viewport=PHONE)
    assert tab.locator("h1").is_visible()
    assert len(tab.locator("article").inner_text()) > 200
    unseen = tab.evaluate(
        """[...document.querySelectorAll(
          "article :is(p, pre > code, figure svg, figure img, table)"
        )].filter(e => !e.closest("details:not([open])")).filter(e => {
          const box = e.getBoundingClientRect()
          return box.width <= 5 || box.height <= 5
        }).map(e => e.outerHTML.slice(0, 100))"""
    )
    assert not unseen
    tab.locator("a.other-language").click()
    assert tab.url == address + path_of("zh", page)

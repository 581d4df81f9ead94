"""Every page of both languages, in a real browser where it takes one.

The two languages of a page have the same structure, which tests/pages checks. So what costs time is
looked at once: Chinese on a desktop, in the light; English, whose words are longer, on a phone that
is touched, in the dark.
"""

import json
from urllib.parse import urlsplit

import pytest
from access import DESKTOP, PHONE, check_access
from addresses import PAGES, SITE_URL, path_of
from axe_playwright_python.sync_playwright import Axe

from sitekit.pages.page import Site
from sitekit.published.build import LANGUAGES, ROOT
from sitekit.published.serve import compressed

SCREENS = {"zh": DESKTOP, "en": PHONE}
VISITS = [pytest.param(lang, page, id=f"{lang}-{page}") for lang in LANGUAGES for page in PAGES]
# what is looked up by name
TALL = ("messages", *(page for page in PAGES if page.startswith("reference/")))
# what breaks the policy of a page is told as an error
BROKEN = """addEventListener("securitypolicyviolation", (x) =>
  console.error(`${x.effectiveDirective} forbids ${x.blockedURI} ${x.sample}`))"""
# the lab carries its plots
LIMITS = {"lab": 120}


@pytest.fixture(scope="module")
def tabs(browser):
    """A tab for each language, where one page after another is opened, and what happens there."""
    tabs = {}
    for language in LANGUAGES:
        context = browser.new_context(**SCREENS[language], reduced_motion="reduce")
        context.add_init_script(Axe().axe_script)
        context.add_init_script(BROKEN)
        tab, happened = context.new_page(), []
        tab.on("console", lambda m, to=happened: to.append(f"{m.type}: {m.text}"))
        tab.on("pageerror", lambda error, to=happened: to.append(str(error)))
        tab.on("requestfailed", lambda request, to=happened: to.append(f"failed: {request.url}"))
        tab.on(
            "response", lambda r, to=happened: r.status < 400 or to.append(f"{r.status} {r.url}")
        )
        tabs[language] = tab, happened
    yield tabs
    for tab, _ in tabs.values():
        tab.context.close()


@pytest.mark.parametrize(("language", "page"), VISITS)
def test_it_loads_light_and_quietly_and_is_accessible(tabs, sub_address, site, language, page):
    """From its own origin, at most 100 KB compressed, and nothing of the search."""
    tab, happened = tabs[language]
    happened.clear()
    tab.goto(sub_address + path_of(language, page))
    assert not happened
    urls = tab.evaluate("performance.getEntries().map(x => x.name).filter(x => x.includes(':'))")
    assert all(url.startswith((sub_address, "data:")) for url in urls), urls
    paths = {urlsplit(url.removeprefix(sub_address)).path for url in urls if url[0] != "d"}
    assert not [path for path in paths if "search" in path] and not tab.workers
    files = [site / path / ("" if path and path[-1] != "/" else "index.html") for path in paths]
    weight = sum(len(compressed(file, file.stat().st_mtime_ns)) for file in files) / 1024
    assert 30 < weight <= LIMITS.get(page, 100), f"{weight:.0f} KB"

    if SCREENS[language] is DESKTOP and page not in TALL:
        height = tab.evaluate("document.querySelector('article').scrollHeight")
        assert height <= 12_000, f"{height} px: nobody scans that"

    # the words of a block have the same few colours everywhere, and are most of a page
    tab.evaluate(
        "document.querySelectorAll('pre code').forEach(x => { x.textContent = x.textContent })"
    )
    check_access(tab)


def shown(language: str, page: str) -> list[tuple[str, str]]:
    """Every block of a page that is not an output: its language and its code."""
    site = Site(ROOT)
    if f"{page}.md" in site.names(language):
        fences = site.page(language, f"{page}.md").fences
        return [(fence.language, fence.code) for fence in fences if fence.language != "output"]
    notebook = site.folder(language) / f"{page}.ipynb"
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [("python", "".join(cell["source"])) for cell in cells if cell["cell_type"] == "code"]


@pytest.mark.parametrize(("language", "page"), VISITS)
def test_its_blocks_are_exactly_what_runs(site, documents, language, page):
    """That a copy button copies what its block shows is looked at in test_browser.py."""
    (wheel,) = site.glob("*.whl")
    article = documents[SITE_URL + path_of(language, page)].article
    blocks = article.select(".highlight:not(.language-output, .doc-signature) pre > code")
    assert [block.text.rstrip() for block in blocks] == [
        code.rstrip().replace("keras_masking-*.whl", SITE_URL + wheel.name)
        for _, code in shown(language, page)
    ]
    buttons = article.select(".md-code__button")
    assert [article.select(x["data-clipboard-target"]) for x in buttons] == [[x] for x in blocks]
    assert all(x.find_parent(class_="md-typeset__scrollwrap") for x in article("table"))


@pytest.mark.parametrize(("language", "page"), VISITS)
def test_it_says_what_it_says_without_javascript(documents, language, page):
    document = documents[SITE_URL + path_of(language, page)]
    assert document.h1.text.strip()
    assert len(document.article.text) > 200
    assert not document.article.select("[hidden], noscript, template")

"""What programs read: llms.txt, the Markdown of each page, and the blocks as data."""

import json
import re
from pathlib import Path
from urllib.parse import urldefrag, urljoin

import pytest
from addresses import PAGES, SITE_URL, path_of

from sitekit.pages.page import Site
from sitekit.published.build import LANGUAGES, ROOT
from sitekit.published.written import NAME, Body

ALL = [(language, page) for language in LANGUAGES for page in PAGES]


@pytest.fixture(scope="module")
def markdown(site) -> dict[str, Body]:
    """The Markdown of each page, by its address."""
    bodies = {}
    for language, page in ALL:
        path = Path(path_of(language, page), NAME)
        text = (site / path).read_text(encoding="utf-8")
        bodies[f"{SITE_URL}{path}"] = Body(Site(ROOT), path, language, text)
    return bodies


def test_llms_txt_lists_the_markdown_of_every_page_and_the_blocks(site, markdown):
    text = (site / "llms.txt").read_text(encoding="utf-8")
    title, _, summary, *_ = text.splitlines()
    assert title.startswith("# ") and summary.startswith("> ")
    listed = re.findall(r"^- \[.+?\]\((\S+)\)(?:: |：)\S", text, re.MULTILINE)
    assert sorted(listed) == sorted(markdown)
    for language in LANGUAGES:
        assert f"({SITE_URL}{language}/blocks.json)" in text


def written(language: str, page: str) -> list[tuple[str, str | None]]:
    """The code and the output of the blocks of a page that run; the notebook has no outputs."""
    site = Site(ROOT)
    if f"{page}.md" in site.names(language):
        blocks = site.page(language, f"{page}.md").blocks
        return [(block.code, block.output and block.output.code) for block in blocks]
    notebook = site.folder(language) / f"{page}.ipynb"
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [("".join(x["source"]) + "\n", None) for x in cells if x["cell_type"] == "code"]


def test_the_markdown_of_a_page_has_every_block_and_output(markdown):
    for language, page in ALL:
        text = markdown[SITE_URL + path_of(language, page) + NAME].text
        for said in (said for block in written(language, page) for said in block if said):
            assert f"\n{said}```" in text, f"{language}/{page}: {said}"


def test_nothing_that_only_the_build_understands_is_left_in_it(markdown):
    left = re.compile(r"--8<--|^:::|<figure|<svg|data:image|hl_lines|^\s*\{ \.|\A---", re.MULTILINE)
    assert not {
        url: found[0] for url, body in markdown.items() if (found := left.search(body.text))
    }


def test_its_links_lead_to_headings_in_other_markdown(markdown):
    for url, body in markdown.items():
        for link in body.links:
            target, anchor = urldefrag(urljoin(url, link.target))
            if target.startswith(SITE_URL):
                assert target in markdown, f"{url}: {link.target}"
                assert not anchor or f"{{ #{anchor} }}" in markdown[target].text, link.target


def test_each_page_links_to_its_markdown(documents):
    for language, page in ALL:
        url = SITE_URL + path_of(language, page)
        for link in ("head > link[type='text/markdown']", f"footer a[href='{NAME}']"):
            (tag,) = documents[url].select(link)
            assert urljoin(url, tag["href"]) == url + NAME


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_blocks_are_data(site, documents, language):
    listed = json.loads((site / language / "blocks.json").read_text(encoding="utf-8"))
    assert sorted(told["page"] for told in listed) == PAGES
    for told in listed:
        assert told["title"] and told["description"] and told["markdown"] == told["url"] + NAME
        blocks = [(block["code"], block["output"]) for block in told["blocks"]]
        expected = written(language, told["page"])
        if told["page"] == "lab":
            assert [code for code, _ in blocks] == [code for code, _ in expected]
        else:
            assert blocks == expected
        for block in told["blocks"]:
            assert documents[told["url"]].find(id=block["heading"])

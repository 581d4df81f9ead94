"""MkDocs hook: each page as Markdown for programs that read, and the blocks of all pages as data.

The Markdown of a page lies beside it, where https://llmstxt.org looks for it: includes are
expanded, figures told in words, links lead to the Markdown of other pages. `blocks.json` lists the
pages, each with the blocks that run and what they print; build.py makes llms.txt of it.
"""

import json
import posixpath
import re
from dataclasses import dataclass
from html import unescape
from itertools import groupby
from pathlib import Path

from sitekit import ROOT
from sitekit.pages.page import Page, Site
from sitekit.published.docstrings import documented

NAME = "index.html.md"
FIGURE = {"en": "Figure: ", "zh": "图："}
_HIGHLIGHT = re.compile(r'^(\s*`{3,}.*?) hl_lines="[^"]*"')
_STYLED = re.compile(r"^ *\{ \.[\w-]+ \}\n", re.MULTILINE)
_FIGURE = re.compile(
    r'<figure.*?(?:aria-label|alt)="(?P<alt>[^"]*)"'
    r".*?(?:<figcaption>(?P<caption>.*?)</figcaption>\s*)?</figure>\n?",
    re.DOTALL,
)
_DOCUMENTED = re.compile(
    r"^::: (?P<path>[\w.]+)(?:\n    options:\n      heading_level: (?P<level>\d))?$", re.MULTILINE
)
# the target of a link, or a span of code, in which there are none
_TARGET = re.compile(r"(`+).+?\1|(?<=\]\()(?P<target>[^)\s#]+)")

pages = []


@dataclass(frozen=True)
class Body(Page):
    """What follows the front matter of a page; of the notebook, what lab.py has made of it."""

    text: str

    @property
    def source(self) -> list[str]:
        return self.text.split("\n")


def on_nav(nav, config, files):
    pages[:] = nav.pages


def on_env(env, config, files):
    """Now the notebook has run too."""
    listed = []
    for page in pages:
        body = Body(Site(ROOT), Path(page.file.src_uri), config.theme["language"], page.markdown)
        file = Path(config.site_dir, page.url, NAME)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(told(body, files, config.site_url), encoding="utf-8")
        listed.append(
            {
                "page": page.url.rstrip("/") or "index",
                "section": page.parent.title if page.parent else None,
                "title": page.title,
                "description": page.meta.get("description", ""),
                "url": page.canonical_url,
                "markdown": page.canonical_url + NAME,
                "blocks": list(blocks(body)),
            }
        )
    text = json.dumps(listed, ensure_ascii=False, indent=1)
    Path(config.site_dir, "blocks.json").write_text(text, encoding="utf-8")


def blocks(body: Body) -> list[dict[str, str | None]]:
    """The blocks that run, each with the id of the heading above it."""
    for block in body.blocks:
        above = [heading.id for heading in body.headings if heading.line < block.line]
        yield {
            "heading": above[-1],
            "language": block.fence.language,
            "code": block.code,
            "output": block.output.code if block.output else None,
        }


def told(body: Body, files, root: str) -> str:
    fenced = {n for fence in body.fences for n in range(fence.line, fence.end + 1)}
    parts = []
    for code, lines in groupby(body.lines, lambda line: line.number in fenced):
        text = "\n".join(line.text for line in lines)
        parts.append(_HIGHLIGHT.sub(r"\1", text) if code else _prose(text, body, files, root))
    return "\n".join(parts)


def _prose(text: str, body: Body, files, root: str) -> str:
    def figure(match: re.Match) -> str:
        said = filter(None, (match["alt"], match["caption"]))
        return f"> {FIGURE[body.language]}{unescape(' '.join(said))}\n"

    def target(match: re.Match) -> str:
        folder = body.path.parent.as_posix()
        file = files.get_file_from_path(posixpath.normpath(f"{folder}/{match['target']}"))
        return f"{root}{file.page.url}{NAME}" if file and file.page else match[0]

    def docstring(match: re.Match) -> str:
        return documented(match["path"], int(match["level"] or 2), body.language)

    text = _FIGURE.sub(figure, _STYLED.sub("", text))
    return _DOCUMENTED.sub(docstring, _TARGET.sub(target, text))

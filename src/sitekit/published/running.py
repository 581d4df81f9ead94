"""MkDocs hook: a page says of each Python block whether it runs in the page, and has what runs it.

`docs/shared/live.json` names the blocks that do not run there, and those that print something else,
each by the `block_id` of its code with the name of a reason; `src/live/reasons.toml` tells the
reasons. A folded file, which prints nothing, has no Run.
"""

import json
import re
import tomllib
from functools import cache
from html import escape, unescape

from sitekit import ROOT
from sitekit.pages.page import block_id

RECORD = ROOT / "docs/shared/live.json"
REASONS = ROOT / "src/live/reasons.toml"
STYLES = ROOT / "src/live/page"
PLAYGROUND = '<div class="playground">'
_BLOCK = re.compile(
    r'(?<!</summary>)(?P<tag><div class="language-python highlight"[^>]*)>'
    r"(?P<rest>.*?<pre>(?P<code>.*?)</pre>)",
    re.DOTALL,
)
_TAG = re.compile(r"<[^>]+>")
_COMMENT = re.compile(r"/\*.*?\*/\n?", re.DOTALL)


@cache
def reasons() -> dict[str, dict]:
    return tomllib.loads(REASONS.read_text(encoding="utf-8"))


@cache
def record() -> dict[str, str]:
    return json.loads(RECORD.read_text(encoding="utf-8"))


def on_pre_build(config):
    reasons.cache_clear()
    record.cache_clear()


def on_post_page(output, page, config):
    if not config.extra["live"]:
        return output
    language = config.theme["language"]
    in_order = page.file.src_uri.endswith(".ipynb")

    def mark(match: re.Match) -> str:
        code = unescape(_TAG.sub("", match["code"]))
        reason = reasons().get("notebook" if in_order else record().get(block_id(code), ""))
        told = ""
        if reason:
            name = "here" if reason["runs"] else "not-here"
            told = f' data-{name}="{escape(reason[language])}"'
        return f"{match['tag']} data-run{told}>{match['rest']}"

    marked, count = _BLOCK.subn(mark, output)
    if not count:
        return output
    up = "../" * (page.url.count("/") + 1)
    head = ""
    for name in ("run", "playground") if PLAYGROUND in output else ("run",):
        style = _COMMENT.sub("", (STYLES / f"{name}.css").read_text(encoding="utf-8"))
        head += f'<style>{style}</style><script type="module" src="{up}live/{name}.js"></script>'
    return marked.replace("</head>", f"{head}</head>", 1)

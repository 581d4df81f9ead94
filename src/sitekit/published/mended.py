"""MkDocs hook: small things in pages that Markdown and Pygments leave to others.

Pages name the wheel by a pattern, which fits a file that was downloaded; a built site knows its
address.

Names, blanks and punctuation look like all text: without elements of their own, which are half of
those of a page, long pages load in two thirds of the bytes. The corner of a table heads nothing, so
it is no heading.

Material's script puts a button into each block and an element that scrolls around each table, and
the browser lays the page out again each time. Here they stand in the page. The script also declares
whether colours are light or dark in an element of its own, for which the browser gives all others
their style anew; `site.css` says the same.
"""

import re
from itertools import count
from pathlib import Path

from mkdocs.exceptions import PluginError

_PLAIN = re.compile(r'<span class="[wnp]">([^<]*)</span>')
_CORNER = re.compile(r"<th( [^>]*)?></th>")
_WHEEL = "keras_masking-*.whl"
_BLOCK = re.compile(
    r'<div class="(language-(?!output )(?!\S+ doc-)[^"]*highlight)"([^>]*>)'
    r'(<span class="filename">[^<]*</span>)?<pre>'
)
_TABLE = re.compile(r"<table>.*?</table>", re.DOTALL)
_SCROLLING = '<div class="md-typeset__scrollwrap"><div class="md-typeset__table">{}</div></div>'
_DECLARED = 'name:"color-scheme"'
COPY = {"en": "Copy to clipboard", "zh": "复制"}


def on_page_markdown(markdown, page, config, files):
    wheel = config.extra.get("wheel")
    return markdown.replace(_WHEEL, config.extra["root"] + wheel) if wheel else markdown


def on_page_content(html, page, config, files):
    html = _CORNER.sub(r"<td\1></td>", _PLAIN.sub(r"\1", html))
    html = _TABLE.sub(lambda table: _SCROLLING.format(_classed(table[0])), html)
    title, number = COPY[config.theme["language"]], count(1)

    def with_button(block: re.Match) -> str:
        name = f"block-{next(number)}"
        return (
            f'<div class="{block[1]}" id="{name}"{block[2]}{block[3] or ""}<pre>'
            f'<span class="md-code__nav"><button class="md-code__button" title="{title}" '
            f'data-clipboard-target="#{name} > pre > code" data-md-type="copy"></button></span>'
        )

    return _BLOCK.sub(with_button, html)


def _classed(table: str) -> str:
    return table.replace("<table>", '<table class="data">', 1)


def on_post_build(config):
    (file,) = Path(config.site_dir, "assets/javascripts").glob("bundle.*.js")
    script = file.read_text(encoding="utf-8")
    if script.count(_DECLARED) != 1:
        raise PluginError(f"{file.name} does not say {_DECLARED} once; look what it declares now")
    file.write_text(script.replace(_DECLARED, 'name:"colours"'), encoding="utf-8")

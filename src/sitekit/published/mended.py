"""MkDocs hook: small things in pages that Markdown and Pygments leave to others.

Pages name the wheel by a pattern, which fits a file that was downloaded; a built site knows its
address.

Names, blanks and punctuation look like all text: without elements of their own, which are half of
those of a page, long pages load in two thirds of the bytes. The corner of a table heads nothing, so
it is no heading.
"""

import re

_PLAIN = re.compile(r'<span class="[wnp]">([^<]*)</span>')
_CORNER = re.compile(r"<th( [^>]*)?></th>")
_WHEEL = "keras_masking-*.whl"


def on_page_markdown(markdown, page, config, files):
    wheel = config.extra.get("wheel")
    return markdown.replace(_WHEEL, config.extra["root"] + wheel) if wheel else markdown


def on_page_content(html, page, config, files):
    return _CORNER.sub(r"<td\1></td>", _PLAIN.sub(r"\1", html))

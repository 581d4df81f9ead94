"""The Content-Security-Policy of a page: the one that it declares, and hashes of what is inline.

A host of static files sets no headers, so the policy is in a `<meta>`. Each page declares its own,
and here its inline scripts and styles are added to it, by their hashes. What a policy has no good
words for, an attribute with a style or a script, is refused.
"""

import base64
import hashlib
import re
from pathlib import Path

_META = re.compile(r'(<meta http-equiv="Content-Security-Policy" content=")([^"]*)(?=")')
_INLINE = re.compile(r"<(script|style)(?P<attributes>[^>]*)>(?P<text>.*?)</\1>", re.DOTALL)
_ATTRIBUTE = re.compile(r'<[a-z][^<>]*?\s(?:style|on[a-z]+)=(?:"[^"]*"|\'[^\']*\')')


def secure(folder: Path) -> None:
    """Complete the policy of each HTML file below a folder.

    Raises:
        ValueError: a page declares no policy, or has an attribute with a style or a script.
    """
    for file in folder.rglob("*.html"):
        try:
            page = secured(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{file.relative_to(folder)}: {error}") from None
        file.write_text(page, encoding="utf-8")


def secured(page: str) -> str:
    """The page with its policy completed; see `secure` for errors."""
    declared = _META.search(page)
    if not declared:
        raise ValueError("declares no Content-Security-Policy; write one in a <meta>")
    inline: dict[str, list[str]] = {"script": [], "style": []}
    for found in _INLINE.finditer(page):
        # what is no JavaScript runs nowhere
        if not re.search(r'\s(src=|type="application/)', found["attributes"]):
            inline[found[1]].append(hashed(found["text"]))
    if attribute := _ATTRIBUTE.search(_INLINE.sub("", page)):
        raise ValueError(f"its policy allows no style or script in {attribute[0][:120]!r}")
    policy = "; ".join(
        completed(one.split(), inline) for one in declared[2].split(";") if one.strip()
    )
    return f"{page[: declared.start(2)]}{policy}{page[declared.end(2) :]}"


def completed(directive: list[str], inline: dict[str, list[str]]) -> str:
    """One directive, such as `script-src 'self'`, with the hashes that it needs."""
    # beside a hash 'unsafe-inline' means nothing
    allowed = "'unsafe-inline'" in directive
    hashes = [] if allowed else inline.get(directive[0].removesuffix("-src"), [])
    return " ".join([*directive, *dict.fromkeys(hashes)])


def hashed(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"

"""Puts the plots of a notebook into its page, in the colours and fonts of the page.

As a file of its own a picture would be white in the dark and load no font of the page. So what
matplotlib writes becomes a part of the page, and each colour in it one of the style sheet.
"""

import re
from html import escape

# the white of matplotlib is the paper
COLOURS = {
    "#000000": "currentColor",
    "#ffffff": "none",
    "#808080": "var(--ink-soft)",
    "#1f77b4": "var(--link)",
    "#ff7f0e": "var(--mask-loss)",
}
PIXELS_PER_POINT = 4 / 3
_BOX = re.compile(r'viewBox="0 0 (\S+) (\S+)"')
_COLOUR = re.compile(r"(?<=: )#[0-9a-f]{6}")
_LEFT_OUT = re.compile(r" font-family: [^;]*;| transform=\"rotate\(-0 [^\"]*\"")
_STYLE = re.compile(r' style="([^"]*)"')
_ID = re.compile(r' id="([^"]*)"')
_TO_ID = re.compile(r'(?:xlink:href="|url\()#([^")]*)')


def in_page(svg: str, name: str, label: str) -> str:
    """The plot as an element of a page, on one line.

    Args:
        svg: What matplotlib wrote.
        name: What the ids in it begin with; no other plot of the page has it.
        label: What the plot shows.

    Raises:
        ValueError: It has no label, no text as text, or a colour that `COLOURS` does not have.
    """
    if not label:
        raise ValueError('say what the plot shows: write "alt": "…" in the metadata of its cell')
    if "<text" not in svg:
        raise ValueError(
            "a plot is an SVG, and its text is text: set InlineBackend.figure_formats to "
            '["svg"] and plt.rcParams["svg.fonttype"] to "none"'
        )
    if unknown := sorted(set(_COLOUR.findall(svg)) - set(COLOURS)):
        raise ValueError(
            f"these colours have no counterpart in the dark: {', '.join(unknown)}; use one of "
            f"{', '.join(COLOURS)}, or give it one in sitekit.published.plots"
        )
    width, height = _BOX.search(svg).groups()
    body = svg[svg.index('<g id="figure') : svg.rindex("</svg>")]
    body = _COLOUR.sub(lambda colour: COLOURS[colour[0]], _LEFT_OUT.sub("", body))
    body = _STYLE.sub(lambda style: _attributes(style[1]), body)
    # matplotlib draws lots for ids, and gives one to each part
    used = {id_: f"{name}-{n}" for n, id_ in enumerate(dict.fromkeys(_TO_ID.findall(body)))}
    body = _ID.sub(lambda id_: f' id="{used[id_[1]]}"' if id_[1] in used else "", body)
    body = _TO_ID.sub(lambda to: to[0].replace(to[1], used[to[1]]), body)
    body = " ".join(body.replace("xlink:href", "href").split()).replace("> <", "><")
    size = " ".join(
        f'{side}="{float(points) * PIXELS_PER_POINT:.0f}"'
        for side, points in (("width", width), ("height", height))
    )
    return (
        f'<svg viewBox="0 0 {width} {height}" {size} role="img" aria-label="{escape(label)}">'
        f"{body}</svg>"
    )


def _attributes(style: str) -> str:
    """Each property as an attribute, since the policy of the pages allows no style in a tag."""
    properties = (part.split(":") for part in style.split(";") if part.strip())
    return "".join(f' {name.strip()}="{value.strip()}"' for name, value in properties)

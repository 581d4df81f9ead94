"""MkDocs hook: the lab is a notebook and looks like every other page.

mkdocs-jupyter runs the notebook and fills the template in `notebook/`, which
writes Markdown. From there it takes the way of any page, so links and anchors
are checked, code is highlighted and copied alike, and nothing is loaded from
another origin. The teaching pages never come here.
"""

from html import unescape
from pathlib import Path

from mkdocs.exceptions import PluginError
from mkdocs.structure.pages import Page
from mkdocs.utils import meta
from mkdocs_jupyter.config import settings
from nbconvert.exporters.templateexporter import default_filters

from sitekit.published import plots


def on_config(config):
    settings.templates_dir = str(Path(__file__).with_name("notebook"))
    # from 0.27 on, any other value puts a MathJax loader on every page
    config.plugins["mkdocs-jupyter"].config["mathjax_version"] = 2
    default_filters["in_page"] = in_page


def in_page(svg, cell):
    try:
        return plots.in_page(svg, cell.id, cell.metadata.get("alt"))
    except ValueError as error:
        raise PluginError(f"cell {cell.id} of the lab: {error}") from None


def on_page_content(html, page, config, files):
    if not page.file.src_uri.endswith(".ipynb"):
        return html
    text, _, _ = html.partition("<style>")  # which mkdocs-jupyter adds, for its own template
    page.markdown, page.meta = meta.get_data(unescape(text).lstrip())
    if not page.meta.get("description"):
        raise PluginError(
            f'{page.file.abs_src_path}: write "description": "…" in the metadata of the notebook'
        )
    # the class's own method: mkdocs-jupyter has put its own in the page
    Page.render(page, config, files)
    return page.content

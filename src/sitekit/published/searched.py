"""MkDocs hook: the index of the search, in place of Material's, and nothing of it before its use.

Material finds pages with lunr, whose index it fetches when a page opens. It sorts badly what this
site says ("masked" is in every second title), knows neither synonyms nor parts of a name, and its
index holds all code. So `docs/theme/assets/search.js` answers in place of Material's worker. The
index has prose and headings, and for each page the other words that readers have for it, from
`search.toml`. `docs/theme/main.html` starts the script when a reader turns to the search box.
"""

import json
import re
import shutil
import tomllib
from html import unescape
from pathlib import Path

# digits in figures, code and outputs are found by nobody; messages are
_LEFT_OUT = re.compile(r"<(svg|pre)(?=[ >])")
_MESSAGES = re.compile(r"<(svg)(?=[ >])")
_WORKER = re.compile(r"assets/javascripts/workers/search\.\w+\.min\.js")
_TAG = re.compile(r"<[^>]+>")
_END = re.compile(r"</(?:p|li|pre)>")
WORDS = Path(__file__).with_name("search.toml")

described = {}


def on_pre_build(config):
    described.clear()


def on_page_content(html, page, config, files):
    described[page.url] = page.meta.get("description", "")
    pattern = _MESSAGES if page.file.src_uri == "messages.md" else _LEFT_OUT
    return pattern.sub(r'<\1 data-search-exclude="1"', html)


def on_post_page(output, page, config):
    return _WORKER.sub("assets/search.js", output)


def plain(text: str) -> str:
    return " ".join(unescape(_TAG.sub("", _END.sub(" ", text))).split())


def on_post_build(config):
    told = tomllib.loads(WORDS.read_text(encoding="utf-8"))
    words, weights = told[config.theme["language"]], told["weights"]
    index = Path(config.site_dir, "search/search_index.json")
    pages = {}
    for entry in json.loads(index.read_text(encoding="utf-8"))["docs"]:
        url, _, anchor = entry["location"].partition("#")
        section = {"anchor": anchor, "title": plain(entry["title"]), "text": plain(entry["text"])}
        pages.setdefault(url, []).append(section)
    # the names of pages in search.toml are those of their sources
    named = {url.rstrip("/") or "index": url for url in pages}
    written = [
        {
            "url": named[name],
            "description": described.get(named[name], ""),
            "words": words.get(name, []),
            "weight": weights.get(name, 1),
            "sections": pages[named[name]],
        }
        for name in named
    ]
    text = json.dumps(written, ensure_ascii=False, separators=(",", ":"))
    index.write_text(text, encoding="utf-8")
    # what Material would have searched with
    for folder in ("lunr", "workers"):
        shutil.rmtree(Path(config.site_dir, "assets/javascripts", folder), ignore_errors=True)

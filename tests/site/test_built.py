"""What was built, read as files: links, anchors, addresses of the other language."""

import json
import struct
import sys
import tomllib
import zipfile
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin
from xml.etree import ElementTree

import pytest
from addresses import PAGES, SITE_URL, path_of, source_of

from sitekit.published import build, searched
from sitekit.published.build import LANGUAGES


def test_both_languages_have_every_page(documents):
    expected = {SITE_URL + path_of(language, page) for language in LANGUAGES for page in PAGES}
    frames = {f"{SITE_URL}live/{name}.html" for name in ("frame", "picture")}
    assert set(documents) == expected | frames | {SITE_URL, SITE_URL + "404.html"}


def test_no_link_or_anchor_is_dead(site, documents):
    anchors = {
        url: {tag["id"] for tag in document.select("[id]")} for url, document in documents.items()
    }
    dead = []
    for url, document in documents.items():
        for tag in document.select("[href], [src]"):
            link = tag.get("href", tag.get("src"))
            target, anchor = urldefrag(urljoin(url, link))
            if not target.startswith(SITE_URL):
                continue
            file = site / unquote(target.removeprefix(SITE_URL))
            if not (file.is_file() or (target.endswith("/") and (file / "index.html").is_file())):
                dead.append(f"{source_of(url)}: {link}")
            # ids that start with two underscores belong to the theme's script
            elif anchor and not anchor.startswith("__") and unquote(anchor) not in anchors[target]:
                dead.append(f"{source_of(url)}: {link} (no such anchor)")
    assert not dead


# headings that have moved to another page; who follows an old link finds a link there
MOVED = {
    "debug": ("ci", "command-line", "json"),
    "losses": ("metrics", "ctc", "crf"),
    "shapes": ("lambda",),
}


@pytest.mark.parametrize(("page", "anchor"), [(page, x) for page in MOVED for x in MOVED[page]])
def test_an_old_address_leads_to_where_it_is_told_now(documents, page, anchor):
    for language in LANGUAGES:
        tag = documents[f"{SITE_URL}{language}/{page}/"].find(id=anchor)
        assert tag is not None and tag.name == "a" and tag["href"].startswith("../")


def test_nothing_is_loaded_from_another_origin(documents):
    loaded = [
        f"{source_of(url)}: {tag}"
        for url, document in documents.items()
        for tag in document.select("script[src], img, link:not([rel~=canonical], [rel~=alternate])")
        if urljoin(url, tag.get("src", tag.get("href"))).startswith(("http:", "https:"))
        and not urljoin(url, tag.get("src", tag.get("href"))).startswith(SITE_URL)
    ]
    assert not loaded


def test_each_page_names_itself_and_its_other_language(documents):
    for language in LANGUAGES:
        for page in PAGES:
            url = SITE_URL + path_of(language, page)
            head = documents[url].head
            assert head.find("link", rel="canonical")["href"] == url, source_of(url)
            alternates = {
                tag["hreflang"]: tag["href"]
                for tag in head.find_all("link", hreflang=True)
                if "alternate" in tag["rel"]
            }
            default = SITE_URL if page == "index" else SITE_URL + path_of("en", page)
            assert alternates == {
                "zh": SITE_URL + path_of("zh", page),
                "en": SITE_URL + path_of("en", page),
                "x-default": default,
            }, source_of(url)
            assert documents[url].html["lang"] == language, source_of(url)
            assert head.find("meta", attrs={"name": "description"})["content"], source_of(url)


def test_each_page_links_to_itself_in_the_other_language(documents):
    for language, other in (("zh", "en"), ("en", "zh")):
        for page in PAGES:
            url = SITE_URL + path_of(language, page)
            links = documents[url].select("a.other-language")
            said = [(urljoin(url, x["href"]), x["hreflang"], x["lang"]) for x in links]
            assert said == [(SITE_URL + path_of(other, page), other, other)], source_of(url)


def test_each_page_has_a_card_for_those_who_share_it(site, documents):
    for language in LANGUAGES:
        for page in PAGES:
            url = SITE_URL + path_of(language, page)
            head = documents[url].head
            said = {x["property"]: x["content"] for x in head.select("meta[property^='og:']")}
            assert said["og:image"] == f"{SITE_URL}{language}/card.png", source_of(url)
            assert said["og:title"] and said["og:url"] == url, source_of(url)
            description = head.find("meta", attrs={"name": "description"})["content"]
            assert said["og:description"] == description, source_of(url)
            assert head.find("meta", attrs={"name": "twitter:card"}), source_of(url)
        picture = (site / language / "card.png").read_bytes()
        assert picture.startswith(b"\x89PNG\r\n")
        size = (said["og:image:width"], said["og:image:height"])
        assert struct.unpack(">II", picture[16:24]) == tuple(map(int, size)) == (1200, 630)


def test_images_have_text_alternatives(documents):
    for url, document in documents.items():
        for image in document.select("main img, main svg[role=img]"):
            name = image.get("alt") or image.get("aria-label") or image.get("aria-labelledby")
            assert name or image.find("title"), f"{source_of(url)}: {str(image)[:80]}"


def test_words_of_the_search_are_told_of_pages_that_exist():
    told = tomllib.loads(searched.WORDS.read_text("utf-8"))
    assert {page for table in told.values() for page in table} <= set(PAGES)


def test_the_search_knows_prose_and_messages_and_no_code(site):
    for language in LANGUAGES:
        pages = json.loads((site / language / "search/search_index.json").read_text("utf-8"))
        texts = {page["url"]: str(page["sections"]) for page in pages}
        assert {path_of(language, page) for page in PAGES} == {f"{language}/{url}" for url in texts}
        assert "import keras" not in texts["mean/"]
        assert "will therefore destroy the mask information" in texts["messages/"]
        assert all(page["description"] for page in pages)


def test_the_sitemap_lists_every_page(site):
    def locations(file: Path) -> list[str]:
        return [tag.text for tag in ElementTree.parse(file).iterfind(".//{*}loc")]

    maps = locations(site / "sitemap.xml")
    assert maps == [f"{SITE_URL}{language}/sitemap.xml" for language in LANGUAGES]
    listed = [url for m in maps for url in locations(site / m.removeprefix(SITE_URL))]
    assert sorted(listed) == sorted(
        SITE_URL + path_of(lang, p) for lang in LANGUAGES for p in PAGES
    )
    assert f"Sitemap: {SITE_URL}sitemap.xml" in (site / "robots.txt").read_text()


def test_the_site_offers_the_wheel_of_the_package(site, documents):
    (wheel,) = site.glob("keras_masking-*-py3-none-any.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "keras_masking/layers/masked_mean.py" in names
    assert not [name for name in names if name.startswith("sitekit")]
    for language in LANGUAGES:
        for page in PAGES:
            url = SITE_URL + path_of(language, page)
            assert documents[url].select(f"footer a[href$='{wheel.name}']"), source_of(url)


def test_the_notebook_can_be_downloaded(site):
    for language in LANGUAGES:
        source = Path(build.ROOT, "docs", language, "lab.ipynb")
        assert (site / language / "lab/lab.ipynb").read_bytes() == source.read_bytes()


def test_pages_link_to_their_source_when_the_repository_is_known(documents):
    edit = "https://github.com/someone/masking/edit/main/docs/zh/why.md"
    assert documents[SITE_URL + "zh/why/"].select(f"a[href='{edit}']")


def test_a_failed_build_leaves_the_old_site_alone(tmp_path, monkeypatch):
    def fail(out):
        (out / "half").touch()
        raise SystemExit("broken")

    out = tmp_path / "site"
    out.mkdir()
    (out / "index.html").write_text("old")
    monkeypatch.setattr(build, "build", fail)
    monkeypatch.setattr(sys, "argv", ["build", "--out", str(out)])
    with pytest.raises(SystemExit, match="broken"):
        build.main()
    assert [path.name for path in tmp_path.iterdir()] == ["site"]
    assert [path.name for path in out.iterdir()] == ["index.html"]


def failure(docs: Path, out: Path) -> str:
    """What the build says of pages that it refuses."""
    variables = {"DOCS_DIR": str(docs), "SITE_DIR": str(out), "RUN_LAB": "false"}
    with pytest.raises(SystemExit) as stopped:
        build.finish("docs/en", build.start_language("en", **variables))
    return str(stopped.value)


def test_what_a_reader_would_not_find_stops_the_build_and_is_named(tmp_path):
    docs = tmp_path / "docs"
    docs.mkdir()
    page = "# Home\n\n[a](gone.md) [b](index.md#gone) ![c](gone.png) [d](../zh/why.md)\n"
    (docs / "index.md").write_text(page)
    said = failure(docs, tmp_path / "site")
    warnings = [line for line in said.splitlines() if line.startswith("WARNING")]
    for link in ("gone.md", "#gone", "gone.png", "../zh/why.md"):
        assert [line for line in warnings if "'index.md'" in line and link in line], said
    assert "Aborted with" in said and "docs/en failed" in said


def test_a_notebook_without_a_description_stops_the_build_and_is_named(tmp_path):
    docs = tmp_path / "docs"
    docs.mkdir()
    notebook = json.loads(Path(build.ROOT, "docs/en/lab.ipynb").read_text(encoding="utf-8"))
    del notebook["metadata"]["description"]
    notebook["cells"] = notebook["cells"][:1]
    (docs / "lab.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    said = failure(docs, tmp_path / "site")
    assert f'{docs / "lab.ipynb"}: write "description"' in said

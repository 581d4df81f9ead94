"""The site in a real browser: what its pages share. Each page by itself: test_each_page.py."""

from pathlib import Path

import pytest
from access import DESKTOP, PHONE, check_access
from addresses import path_of
from axe_playwright_python.sync_playwright import Axe

from sitekit.published.build import LANGUAGES, ROOT


def test_code_and_the_frame_of_a_page_are_accessible(open_page, address):
    for language in LANGUAGES:
        tab = open_page(address + path_of(language, "why"), reduced_motion="reduce")
        tab.evaluate(Axe().axe_script)
        check_access(tab, "dark", DESKTOP)
        check_access(tab, "light", PHONE)


def test_the_language_switch_stays_on_the_page(open_page, sub_address):
    tab = open_page(sub_address + path_of("zh", "mean"))
    tab.click("a.other-language")
    tab.wait_for_url(sub_address + path_of("en", "mean"))
    tab.click("a.other-language")
    tab.wait_for_url(sub_address + path_of("zh", "mean"))
    tab.goto(sub_address + path_of("zh", "mean") + "#what-breaks")
    tab.click("a.other-language")
    tab.wait_for_url(sub_address + path_of("en", "mean") + "#what-breaks")


def test_a_colour_chosen_in_one_language_holds_in_the_other(open_page, address):
    tab = open_page(address + path_of("zh", "mean"))
    for _ in range(2):  # from "as the system" to light, to dark
        tab.click("[data-md-component=palette] label:visible")
    tab.wait_for_selector("body[data-md-color-scheme=slate]")
    tab.click("a.other-language")
    tab.wait_for_url("**/en/mean/")
    assert tab.locator("body[data-md-color-scheme=slate]").count()


@pytest.mark.parametrize(
    ("locale", "expected"), [("zh-CN", "zh"), ("zh-TW", "zh"), ("en-GB", "en"), ("de-DE", "en")]
)
def test_the_root_sends_a_reader_to_their_language(open_page, sub_address, locale, expected):
    tab = open_page(sub_address, locale=locale)
    tab.wait_for_url(f"{sub_address}{expected}/")


def test_the_root_offers_both_languages_without_javascript(open_page, sub_address):
    tab = open_page(sub_address, java_script_enabled=False)
    links = [link.get_attribute("href") for link in tab.locator("a:visible").all()]
    assert links == ["en/", "zh/"]


@pytest.mark.parametrize(
    ("language", "term"),
    [("zh", term) for term in ("掩码", "传播", "计算图", "支持掩码", "填充", "MaskedMean")]
    + [("en", term) for term in ("mask", "propagation", "graph", "supports_masking", "MaskedMean")],
)
def test_search_finds_a_term(open_page, address, language, term):
    tab = open_page(address + path_of(language, "index"), viewport=DESKTOP)
    tab.fill(".md-search__input", term)
    tab.press(".md-search__input", "End")  # the theme listens for a key going up
    tab.wait_for_selector(".md-search-result__item article", timeout=5000)
    first = tab.locator(".md-search-result__item").first
    found = first.inner_text().replace("\u200b", "")
    words = [term] if language == "zh" else term.split("_")
    assert all(word.lower() in found.lower() for word in words), found


def test_the_keyboard_reaches_content_code_and_what_scrolls(open_page, address):
    for language in LANGUAGES:
        tab = open_page(address + path_of(language, "travel"), viewport=PHONE)
        tab.keyboard.press("Tab")
        assert tab.evaluate("document.activeElement.matches('.md-skip')")
        tab.keyboard.press("Enter")
        assert tab.url.endswith("#travel")
        unreachable = tab.evaluate(
            """[...document.querySelectorAll("article *")]
              .filter(e => e.matches(".md-code__button")
                ? e.offsetParent && e.tabIndex < 0
                : /auto|scroll/.test(getComputedStyle(e).overflowX)
                  && e.scrollWidth > e.clientWidth && e.tabIndex < 0)
              .map(e => e.outerHTML.slice(0, 100))"""
        )
        assert not unreachable
        assert tab.locator(".md-code__button:visible").count()
        button = tab.locator(".md-code__button:visible").first
        button.focus()
        assert button.evaluate("e => getComputedStyle(e).outlineStyle") != "none"


def test_what_scrolls_shows_it_and_what_fits_does_not(open_page, address):
    for viewport, expected in ((DESKTOP, False), (PHONE, True)):
        tab = open_page(address + path_of("en", "index"), viewport=viewport)
        highlighted = tab.locator("pre > code:has(.hll)").first
        highlighted.scroll_into_view_if_needed()
        assert highlighted.evaluate("e => e.classList.contains('more')") == expected


def test_a_folded_file_is_opened_copied_and_downloaded(open_page, address):
    written = (ROOT / "docs/shared/copies/masked_mean.py").read_text("utf-8")
    for language in LANGUAGES:
        tab = open_page(
            address + path_of(language, "mean"),
            permissions=["clipboard-read", "clipboard-write"],
        )
        file = tab.locator(".file", has_text="masked_mean.py")
        code = file.locator("pre > code")
        assert not code.is_visible()
        file.locator("button", has_text={"en": "Copy", "zh": "复制"}[language]).click()
        assert tab.evaluate("navigator.clipboard.readText()") == written
        with tab.expect_download() as download:
            file.locator("a").click()
        assert Path(download.value.path()).read_text("utf-8") == written
        file.locator("summary").focus()
        tab.keyboard.press("Enter")
        assert code.is_visible()


def test_printed_pages_are_dark_on_white(open_page, address):
    tab = open_page(address + path_of("en", "mean"), color_scheme="dark")
    tab.emulate_media(media="print", color_scheme="dark")
    ink = tab.locator("article p").first.evaluate("e => getComputedStyle(e).color")
    paper = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ink, paper) == ("rgb(27, 40, 44)", "rgb(255, 255, 255)")

"""The site in a real browser: what its pages share. Each page by itself: test_each_page.py."""

import tomllib
from pathlib import Path

import pytest
from access import DESKTOP, PHONE, check_access
from addresses import path_of
from axe_playwright_python.sync_playwright import Axe

from sitekit.published.build import LANGUAGES, ROOT


def test_code_and_the_frame_of_a_page_are_accessible(open_page, address):
    """With the colours of code; the pages in test_each_page.py leave them out."""
    for language, screen in (("zh", DESKTOP), ("en", PHONE)):
        for scheme in ("light", "dark"):
            options = screen | {"color_scheme": scheme, "reduced_motion": "reduce"}
            tab = open_page(address + path_of(language, "why"), **options)
            tab.evaluate(Axe().axe_script)
            check_access(tab)


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


QUERIES = tomllib.loads(Path(__file__).with_name("queries.toml").read_text("utf-8"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_search_puts_the_page_first_that_answers(open_page, sub_address, language):
    """At least nine times of ten; the script that searches is asked, without the page."""
    tab = open_page(sub_address + path_of(language, "index"))
    script = f"{sub_address}{language}/assets/search.js"
    asked = [(q, path_of(language, page)) for page, qs in QUERIES[language].items() for q in qs]
    answers = tab.evaluate(
        """async ([script, queries]) => {
          const worker = new Original(script)
          const next = () => new Promise(done => { worker.onmessage = x => done(x.data.data) })
          await next()
          const answers = []
          for (const data of queries) {
            worker.postMessage({ type: 2, data })
            answers.push((await next()).items[0]?.[0].location)
          }
          return answers
        }""",
        [script, [query for query, _ in asked]],
    )
    wrong = [
        f"{query}: {answer}"
        for (query, page), answer in zip(asked, answers, strict=True)
        if f"{language}/{answer}" != page
    ]
    assert len(asked) >= 60
    assert len(wrong) <= len(asked) / 10, "\n".join(wrong)


def test_search_is_loaded_when_it_is_used_and_leads_to_the_place(open_page, sub_address):
    for language, term, place in (
        ("en", "find_leak", "debug/"),
        ("zh", "批归一化", "normalization/"),
    ):
        tab = open_page(sub_address + path_of(language, "why"), **DESKTOP)
        asked = []
        tab.on("request", lambda request, to=asked: to.append(request.url))
        assert not tab.workers
        tab.keyboard.press("/")
        tab.keyboard.type(term)
        tab.wait_for_selector(".md-search-result__item article")
        tab.keyboard.press("Enter")
        tab.wait_for_url(f"{sub_address}{language}/{place}")


def test_the_keyboard_reaches_content_code_and_what_scrolls(open_page, address):
    for language in LANGUAGES:
        tab = open_page(address + path_of(language, "travel"), **PHONE)
        tab.keyboard.press("Tab")
        assert tab.evaluate("document.activeElement.matches('.md-skip')")
        tab.keyboard.press("Enter")
        tab.wait_for_url("**#travel")
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
    for screen, expected in ((DESKTOP, False), (PHONE, True)):
        tab = open_page(address + path_of("en", "index"), **screen)
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


def test_a_copy_button_copies_what_its_block_shows(open_page, address):
    """Of a session in a terminal, what was typed."""
    for page in ("mean", "ci"):
        tab = open_page(
            address + path_of("en", page), permissions=["clipboard-read", "clipboard-write"]
        )
        buttons = tab.locator("article .md-code__button:visible")
        buttons.first.wait_for()
        for button in buttons.all():
            button.click()
            code = button.locator("xpath=../following-sibling::code")
            said = code.text_content().rstrip()
            if code.locator(".gp").count():
                lines = said.splitlines()
                said = "\n".join(line[2:] for line in lines if line.startswith("$ "))
            assert tab.evaluate("navigator.clipboard.readText()") == said


def test_the_keyboard_opens_contents_and_search_and_changes_the_colours(open_page, address):
    tab = open_page(address + path_of("en", "mean"), **PHONE, reduced_motion="reduce")
    names = []
    for _ in range(12):
        tab.keyboard.press("Tab")
        names.append(
            tab.evaluate(
                """() => {
                  const e = document.activeElement, box = e.getBoundingClientRect()
                  const seen = e.checkVisibility({ checkVisibilityCSS: true, checkOpacity: true })
                  return e.matches("[name=__palette]") ? "colours"
                    : seen && box.right > 0 ? e.ariaLabel || e.textContent.trim()
                    : `unseen: ${e.outerHTML.slice(0, 80)}`
                }"""
            )
        )
    assert not [name for name in names if name.startswith("unseen")], names
    assert {"Contents", "Search", "colours"} <= set(names), names

    menu = tab.get_by_role("button", name="Contents")
    menu.focus()
    tab.keyboard.press("Enter")
    assert menu.get_attribute("aria-expanded") == "true"
    assert tab.locator(".md-nav--primary a", has_text="Glossary").is_visible()
    tab.keyboard.press("Escape")
    assert menu.get_attribute("aria-expanded") == "false"
    tab.get_by_role("button", name="Search").focus()
    tab.keyboard.press("Space")
    assert tab.evaluate("document.activeElement.matches('.md-search__input')")
    tab.keyboard.press("Escape")

    colour = tab.locator("body").get_attribute("data-md-color-media")
    tab.locator("[name=__palette]").first.focus()
    tab.keyboard.press("Space")
    assert tab.locator("body").get_attribute("data-md-color-media") != colour


def test_a_desktop_has_no_buttons_for_what_it_shows(open_page, address):
    tab = open_page(address + path_of("en", "mean"), **DESKTOP)
    assert tab.locator("[data-opens]").count() == 2
    assert not tab.locator("[data-opens]:visible").count()


def test_a_page_reads_without_javascript(open_page, sub_address):
    tab = open_page(sub_address + path_of("zh", "mean"), java_script_enabled=False, **PHONE)
    unseen = tab.evaluate(
        """[...document.querySelectorAll(
          "article :is(p, pre > code, figure svg, figure img, table)"
        )].filter(e => !e.closest("details:not([open])")).filter(e => {
          const box = e.getBoundingClientRect()
          return box.width <= 5 || box.height <= 5
        }).map(e => e.outerHTML.slice(0, 100))"""
    )
    assert not unseen
    tab.locator("a.other-language").click()
    assert tab.url == sub_address + path_of("en", "mean")


def test_printed_pages_are_dark_on_white_and_without_buttons(open_page, address):
    tab = open_page(address + path_of("en", "mean"), color_scheme="dark")
    tab.locator(".md-code__button").first.wait_for(state="attached")
    tab.emulate_media(media="print", color_scheme="dark")
    ink = tab.locator("article p").first.evaluate("e => getComputedStyle(e).color")
    for element in ("html", "body"):
        style = f"getComputedStyle(document.querySelector('{element}'))"
        assert tab.evaluate(f"{style}.backgroundColor") == "rgb(255, 255, 255)"
        assert tab.evaluate(f"{style}.colorScheme") == "light"
    assert ink == "rgb(27, 40, 44)"
    assert not tab.locator("article :is(button, .headerlink, .md-content__button):visible").count()
    # what scrolls would not be divided between two sheets
    assert not tab.evaluate(
        """[...document.querySelectorAll("article *")]
          .filter(e => /auto|scroll/.test(getComputedStyle(e).overflowX)).length"""
    )

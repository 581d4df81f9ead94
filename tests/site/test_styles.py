"""Pages carry what can apply to them of four style sheets, and look as with all of them."""

from pathlib import Path

import material
import mkdocstrings_handlers.python
import pytest
from access import DESKTOP, PHONE
from addresses import PAGES, SITE_URL, path_of, source_of
from mkdocs.exceptions import PluginError

from sitekit.published import styles
from sitekit.published.build import LANGUAGES, ROOT

SHEETS = [
    *sorted(Path(material.__file__).parent.glob("templates/assets/stylesheets/*.css")),
    Path(mkdocstrings_handlers.python.__file__).parent / "templates/material/style.css",
    ROOT / "docs/theme/assets/site.css",
]
# what moves would be caught at another moment; the policy of a page knows its own rules only
STILL = {"reduced_motion": "reduce", "bypass_csp": True}
# with the rules of the page, then with all there are: what looks different, and how; of elements
# that look alike by their names, one
COMPARE = """sheets => {
  const named = e => `${e.tagName} ${e.getAttribute("class") ?? ""} ${e.id && e.type}`
  const kinds = new Map([document.documentElement, ...document.body.querySelectorAll("*")]
    .map(e => [`${named(e.parentElement ?? e)} > ${named(e)}`, e]))
  const properties = [...getComputedStyle(document.body)].filter(name => !name.startsWith("--"))
  const looks = () => [...kinds].flatMap(([kind, e]) =>
    ["", "::before", "::after"].flatMap(part => {
      const style = getComputedStyle(e, part)
      return part && style.content === "none" ? [`${kind}${part}`]
        : properties.map(name => `${kind}${part}: ${name}: ${style.getPropertyValue(name)}`)
    }))
  const element = document.head.querySelector("style")
  const own = element.textContent
  const before = new Set(looks())
  element.textContent = sheets
  const after = looks()
  element.textContent = own
  return [kinds.size, after.filter(x => !before.has(x)).slice(0, 20)]
}"""


def check_looks(tab):
    sheets = "\n".join(styles.quick(x.read_text("utf-8")) for x in SHEETS)
    kinds, different = tab.evaluate(COMPARE, sheets)
    assert kinds > 100
    assert not different, "\n".join(different)


def test_a_page_waits_for_nothing(documents):
    for language in LANGUAGES:
        for page in PAGES:
            document = documents[SITE_URL + path_of(language, page)]
            waited_for = "link[rel=stylesheet], script[src]:not([defer], [type=module])"
            assert not document.select(waited_for), source_of(SITE_URL + path_of(language, page))
            assert len(document.head.style.text) < 70_000


def test_opening_a_page_styles_its_elements_once(open_page, address):
    """A script that changes a class has the browser style all of them anew, where one rule names
    that class and then any element."""
    tab, styled, ended = open_page("about:blank"), [], []
    events = tab.context.new_cdp_session(tab)
    events.on("Tracing.dataCollected", lambda data: styled.extend(data["value"]))
    events.on("Tracing.tracingComplete", lambda data: ended.append(data))
    kept = {"includedCategories": ["devtools.timeline"]}
    events.send("Tracing.start", {"transferMode": "ReportEvents", "traceConfig": kept})
    tab.goto(address + path_of("zh", "travel"), wait_until="networkidle")
    events.send("Tracing.end")
    while not ended:
        tab.wait_for_timeout(100)
    count = sum(
        event["args"].get("elementCount", 0)
        for event in styled
        if event["name"] == "UpdateLayoutTree" and event["ph"] == "X"
    )
    there = tab.locator("*").count()
    assert 0.5 * there < count < 1.5 * there


def test_a_page_has_no_rules_of_another(documents):
    def rules(page):
        return documents[SITE_URL + path_of("en", page)].head.style.text

    assert ".doc-section-title" in rules("reference/layers")
    assert ".doc-" not in rules("why").replace(":not(", "")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_desktop_shows_the_same_with_all_rules(open_page, sub_address, scheme):
    options = DESKTOP | {"color_scheme": scheme} | STILL
    tab = open_page(sub_address + path_of("zh", "mean"), **options)
    tab.locator(".file summary").first.click()
    tab.locator(".md-code__button:visible").first.click()
    tab.wait_for_selector(".md-dialog--active")
    check_looks(tab)
    tab.keyboard.press("/")
    tab.keyboard.type("批归一化")
    tab.wait_for_selector(".md-search-result__item article")
    check_looks(tab)
    tab.emulate_media(media="print")
    check_looks(tab)


def test_a_phone_shows_the_same_with_all_rules(open_page, sub_address):
    tab = open_page(sub_address + path_of("en", "reference/layers"), **PHONE, **STILL)
    check_looks(tab)
    tab.get_by_role("button", name="Contents").click()
    check_looks(tab)
    tab.keyboard.press("Escape")
    tab.get_by_role("button", name="Search").click()
    tab.keyboard.type("MaskedMean")
    tab.wait_for_selector(".md-search-result__item article")
    check_looks(tab)


def test_what_is_printed_fits_the_paper(open_page, address):
    """The cheat sheet fills one sheet; a browser would shrink what is wider than the paper."""
    for language in LANGUAGES:
        for page, sheets in (("cheatsheet", 1), ("mean", 7)):
            tab = open_page(address + path_of(language, page))
            assert tab.pdf(format="A4", prefer_css_page_size=True).count(b"/Type /Page\n") <= sheets
            tab.emulate_media(media="print")
            tab.set_viewport_size({"width": 680, "height": 1009})
            assert tab.evaluate("document.documentElement.scrollWidth") == 680


def kept(sheet: str, page: str, script: str = "") -> str:
    names = styles.Names(page).found | styles.named_by(script)
    rules = list(styles.fitting(styles.sheet(sheet, "x.css"), names))
    return styles.told(rules, styles.used(rules, page))


@pytest.mark.parametrize(
    "rule",
    [
        "p.a>a:hover{top:0}",
        "#b::before{top:0}",
        "p:not(.gone){top:0}",
        "[data-x=y]{top:0!important}",
        "[data-x^=n]{top:0}",
        "@media print{p{top:0}}",
        ".a,#b{top:0}",
        ".is-set{top:0}",
        "@page{margin:0}",
        "@keyframes k{to{top:0}}p{animation:k 1s}",
        "p{--x:1;--y:var(--x);top:var(--y)}",
    ],
)
def test_what_can_apply_stays(rule):
    page = "<p class='c a' data-x='y'><a id='b' style='top: var(--z)'></a></p>"
    assert kept(f"/* why */ {rule}", page, 'x.classList.add("is-set")') == rule


@pytest.mark.parametrize(
    "rule",
    [
        "p.a>b{top:0}",
        ".gone{top:0}",
        "#gone{top:0}",
        "[gone]{top:0}",
        "[data-x=z]{top:0}",
        "@media print{b{top:0}}",
        "@keyframes k{to{top:0}}",
        ".md-version{top:0}",
        "p{--x:1;--y:var(--x)}",
    ],
)
def test_what_cannot_apply_goes(rule):
    assert not kept(rule, "<p class='a' data-x='y'></p>", 'x.className = "md-version b"')


def test_a_selector_that_cannot_apply_goes_alone():
    assert kept(".gone, p { top : 0 }", "<p>") == "p{top:0}"


@pytest.mark.parametrize(
    ("sheet", "said"),
    [
        ("p { .a { top: 0 } }", "x.css: p holds no declaration"),
        ("@layer a { p { top: 0 } }", "teach sitekit.published.styles"),
        ("p { background: url(a.png) }", "url(a.png) would be looked for beside each page"),
    ],
)
def test_a_style_sheet_that_is_not_understood_is_named(sheet, said):
    with pytest.raises(PluginError) as error:
        styles.sheet(sheet, "x.css")
    assert said in str(error.value)

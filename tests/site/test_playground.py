"""The playground: what a reader does there, what a link can do, and the program that it gives."""

import json
import os
import subprocess
import sys

import keras
import pytest
from access import DESKTOP, PHONE, check_access
from addresses import path_of
from test_live import reading

import keras_masking
from sitekit.measured.faults.known import FAULTS

PATIENCE = 60_000  # milliseconds
PAGE = path_of("en", "playground")
LEAKS_AT = {fault.name: fault.leaks_at for group in FAULTS.values() for fault in group}
# runs each file as a process of its own would, and tells what it printed and where it leaks
ALONE = """
import contextlib, io, json, pathlib, runpy, sys, keras
told = {}
for path in pathlib.Path(sys.argv[1]).glob("*.py"):
    keras.utils.clear_session()
    with contextlib.redirect_stdout(io.StringIO()) as out:
        report = runpy.run_path(str(path), run_name="__main__")["report"]
    calls = [report.trace[leak.call].path for leak in report.leaks]
    told[path.stem] = {"out": out.getvalue(), "backend": report.trace.backend, "leaks": calls}
json.dump(told, sys.stdout)
"""


class Playground:
    def __init__(self, tab):
        self.tab = tab
        self.box = tab.locator(".playground")
        self.copied, self.status = self.box.get_by_role("status").all()
        self.run = self.box.get_by_role("button", name="Run")
        self.reports = self.box.locator("iframe")
        self.start_from = self.box.get_by_label("Start from")

    def says(self, text: str, **options) -> None:
        """Wait until the status says this, and nothing runs any more."""
        self.status.get_by_text(text, **options).wait_for(timeout=PATIENCE)
        self.box.locator(".ran:not(.old)").wait_for(timeout=PATIENCE, state="attached")

    def picks(self, preset: str) -> None:
        self.start_from.select_option(preset)

    def program(self) -> str:
        return self.box.locator("> details pre").text_content()

    def printed(self) -> str:
        return self.box.locator(".ran details pre").last.text_content()

    def address(self) -> str:
        """With the state as it is now."""
        self.box.get_by_role("button", name="Copy link").click()
        self.copied.get_by_text("link is").wait_for()
        return self.tab.url


@pytest.fixture(scope="module")
def opened(browser, address):
    """One page in which Python is there, at the fault that the page starts with."""
    with reading(browser, address + PAGE, **DESKTOP) as (tab, asked, errors):
        playground = Playground(tab)
        tab.wait_for_load_state("networkidle")
        asked_before = [url.rpartition("/")[2] for url in asked if "/live/" in url]
        playground.run.click()
        playground.says("Padding leaks in global_average_pooling1d")
        yield playground, asked_before
        assert not errors


@pytest.fixture
def playground(opened):
    playground, _ = opened
    yield playground
    if playground.start_from.input_value() != "operator":
        playground.picks("operator")
    playground.says("Padding leaks in global_average_pooling1d")


def test_only_its_scripts_are_loaded_before_run(opened):
    _, asked = opened
    names = ("playground.js", "playground-links.js", "playground-models.js", "run.js")
    assert sorted(asked) == sorted(names)


def test_it_shows_masks_verdict_and_repair(playground):
    report, repair = (frame.content_frame for frame in playground.reports.all())
    masks = report.locator("svg[aria-label]")
    label = "Mask of shape (3, 6): 6 of 6 steps, 3 of 6 steps, 2 of 6 steps."
    assert masks.first.get_attribute("aria-label") == label
    assert "(3, 6, 4)" in report.locator("tbody").inner_text()
    assert "The mask was lost in multiply" in report.locator(".verdict").inner_text()
    assert "KeepMask" in repair.locator("dl").inner_text()


def test_an_edit_shows_what_it_changes(playground):
    box = playground.box
    box.get_by_label("layer 2", exact=True).select_option("Rescaling")
    playground.says("Clear: padding changes no valid result")
    assert playground.start_from.input_value() == "edited"
    (report,) = playground.reports.all()
    box.get_by_label("length of sample 1").fill("5")
    changed = report.content_frame.get_by_label("6 of 6 steps, 5 of 6 steps, 2 of 6 steps")
    changed.first.wait_for(timeout=PATIENCE)
    box.get_by_label("sample 1, step 4").fill("0")
    changed = report.content_frame.get_by_label("6 of 6 steps, 4 of 6 steps, 2 of 6 steps")
    changed.first.wait_for(timeout=PATIENCE)


def test_warnings_of_keras_are_shown(playground):
    playground.picks("flatten")
    playground.says("Padding leaks in flatten")
    assert "destroy the mask" in playground.box.locator(".ran").inner_text()


def test_a_link_restores_the_form_and_runs_nothing(playground):
    box = playground.box
    box.get_by_label("Padding on the").select_option("left")
    box.get_by_label("sample 0, step 0").fill("7")
    box.get_by_role("radio", name="Code").check()
    box.get_by_label("Code that makes model").fill("# 代码\nmodel = keras.Sequential()")
    link, program = playground.address(), playground.program()
    assert "    [7, 1, 4, 1, 5, 9],\n    [0, 0, 0, 2, 6, 5],\n" in program
    tab, asked = playground.tab.context.new_page(), []
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(link)
    other = Playground(tab)
    other.says("Nothing runs before you press Run")
    assert other.program() == program
    tab.wait_for_timeout(500)
    assert not [url for url in asked if "python.js" in url or ".bin" in url]
    assert not tab.locator(".ran").inner_text()
    # in a page where Python is there, too
    box.get_by_label("sample 0, step 0").fill("8")
    playground.tab.wait_for_url(lambda url: url != link)
    playground.tab.evaluate("link => { location.href = link }", link)
    playground.says("Nothing runs before you press Run")
    assert playground.program() == program and not playground.reports.count()
    tab.close()
    playground.picks("operator")
    playground.run.click()


# what a link could hold: text that is no state, a state of other things, far too much
BAD = """
async (kind) => {
  const { encoded } = await import(new URL("../../live/playground-links.js", location));
  const { PRESETS } = await import(new URL("../../live/playground-models.js", location));
  const state = PRESETS.operator;
  return {
    nonsense: "#state=%%%",
    json: await encoded("x"),
    layer: await encoded({ ...state, layers: [["__import__('os')", ""]] }),
    lines: await encoded({ ...state, layers: [["Dense", "1)\\nprint(1"]] }),
    value: await encoded({ ...state, fill: "0); print(1" }),
    rows: await encoded({ ...state, rows: [[1], [1, 2]], lengths: [1, 1] }),
    huge: "#state=" + "A".repeat(100_000),
    bomb: await encoded("0".repeat(5_000_000)),
  }[kind];
}
"""


@pytest.mark.parametrize(
    "kind", ["nonsense", "json", "layer", "lines", "value", "rows", "huge", "bomb"]
)
def test_a_bad_link_is_refused_with_a_sentence(playground, kind):
    tab = playground.tab.context.new_page()
    tab.goto(playground.tab.url.partition("#")[0] + playground.tab.evaluate(BAD, kind))
    other = Playground(tab)
    other.says("The link is too long" if kind in ("huge", "bomb") else "The link is damaged")
    assert other.start_from.input_value() == "operator"
    tab.close()


def test_programs_print_on_a_desktop_what_the_page_shows(playground, tmp_path):
    presets = playground.start_from.locator("option").evaluate_all("all => all.map(x => x.value)")
    shown = {}
    for preset in filter("edited".__ne__, presets):
        playground.picks(preset)
        (tmp_path / f"{preset}.py").write_text(playground.program(), encoding="utf-8")
        if preset in ("flatten", "post-norm-transformer"):
            playground.says(f"Padding leaks in {LEAKS_AT[preset]} ")
            shown[preset] = playground.printed()
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ALONE, tmp_path],
        env=os.environ | {"KERAS_BACKEND": "numpy"},
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(ran.stdout)
    assert 6 <= len(told) <= 10
    assert {one["backend"] for one in told.values()} == {"numpy"}
    assert shown == {preset: told[preset]["out"] for preset in shown}
    leaks_at = {preset: one["leaks"][0] for preset, one in told.items()}
    known = {preset: LEAKS_AT[preset] for preset in told if preset in LEAKS_AT}
    assert len(known) >= 6
    assert known.items() <= leaks_at.items()


def test_what_can_be_picked_exists(playground):
    groups = playground.box.locator("li").first.locator("optgroup")
    for label, owner in (("Keras", keras.layers), ("keras_masking", keras_masking)):
        names = groups.and_(playground.tab.locator(f"[label={label}]")).locator("option")
        assert names.count() > 15
        assert not [name for name in names.all_text_contents() if not hasattr(owner, name)]


def test_the_keyboard_does_all_of_it(playground):
    box, keys = playground.box, playground.tab.keyboard
    focused = "document.activeElement.ariaLabel"
    box.get_by_label("move layer 3 up").focus()
    keys.press("Enter")
    assert playground.tab.evaluate(focused) == "move layer 2 up"
    assert box.get_by_label("layer 2", exact=True).input_value() == "GlobalAveragePooling1D"
    keys.press("Tab")
    assert playground.tab.evaluate(focused) == "move layer 2 down"
    keys.press("Enter")
    assert playground.tab.evaluate(focused) == "move layer 3 up"
    keys.press("Tab")
    assert playground.tab.evaluate(focused) == "remove layer 3"
    keys.press("Enter")
    assert playground.tab.evaluate(focused) == "layer 2"
    box.get_by_role("button", name="Add a layer").focus()
    keys.press("Enter")
    keys.type("GlobalA")
    assert box.get_by_label("layer 3", exact=True).input_value() == "GlobalAveragePooling1D"
    keys.press("ControlOrMeta+Enter")
    playground.says("Padding leaks in")


def test_what_is_wrong_is_said_and_stop_ends_it(playground):
    box = playground.box
    box.get_by_role("radio", name="Code").check()
    code = box.get_by_label("Code that makes model")
    code.focus()
    box.locator(".cm-content").wait_for()  # the editor is loaded at the first edit
    code.fill("model = keras.Sequential([1])")
    playground.says("ValueError")
    assert 'File "main.py"' in box.locator(".ran").inner_text()
    code.fill("raise SystemExit")
    playground.says("Done")
    code.fill("while True: pass")
    playground.tab.wait_for_timeout(1000)
    box.get_by_role("button", name="Stop").click()
    playground.says("Stopped")


def test_the_editor_takes_over_where_the_reader_writes(playground):
    box, keys = playground.box, playground.tab.keyboard
    box.get_by_role("radio", name="Code").check()
    code = box.get_by_label("Code that makes model")
    at_the_end = "e => (e.focus(), e.setSelectionRange(e.value.length, e.value.length))"
    box.locator("textarea").evaluate(at_the_end)
    box.locator(".cm-content").wait_for()
    keys.type("# end")
    assert code.inner_text().rstrip().endswith("# end")
    keys.press("Escape")
    keys.press("Shift+Tab")  # back to where the model is written, and not an indent
    assert playground.tab.evaluate("document.activeElement.type") == "radio"
    code.fill("#" * 9_000)
    playground.status.get_by_text("At most 8000 characters fit").wait_for(timeout=PATIENCE)
    code.fill("while True: pass")
    playground.tab.wait_for_timeout(1000)
    code.fill("while True: break")
    playground.tab.wait_for_timeout(300)
    box.get_by_role("button", name="Stop").click()
    playground.says("Stopped")


def test_an_edit_ends_what_runs_for_long(playground):
    box = playground.box
    box.get_by_role("radio", name="Code").check()
    code = box.get_by_label("Code that makes model")
    before = code.input_value()
    code.focus()
    box.locator(".cm-content").wait_for()
    code.fill("while True: pass")
    playground.tab.wait_for_timeout(1000)
    code.fill(before)
    playground.says("Padding leaks in")
    assert "Stopped" not in box.inner_text()
    box.get_by_label("length of sample 1").fill("5")  # which draws the form anew
    playground.tab.wait_for_timeout(200)
    code.focus()
    playground.tab.keyboard.press("ControlOrMeta+z")
    code.get_by_text("while True: pass").wait_for()
    playground.tab.keyboard.press("ControlOrMeta+Shift+z")
    playground.says("Padding leaks in")


def test_it_is_accessible_and_fits_a_narrow_phone(browser, address, playground):
    check_access(playground.tab)
    screen = PHONE | {"viewport": {"width": 320, "height": 700}, "reduced_motion": "reduce"}
    url = address + path_of("zh", "playground")
    with reading(browser, url, **screen) as (tab, _, errors):
        check_access(tab)
        tab.get_by_label("写代码").check()
        check_access(tab)
        assert not errors

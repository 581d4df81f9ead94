"""Blocks that run in the page: what a reader does with them, and what their code cannot do."""

import gzip
from contextlib import contextmanager

import pytest
from access import DESKTOP, check_access
from addresses import path_of
from axe_playwright_python.sync_playwright import Axe
from conftest import serving

from sitekit.published.build import LANGUAGES

PATIENCE = 90_000  # milliseconds


class Block:
    """The first block of an open page that runs."""

    def __init__(self, tab):
        self.tab = tab
        self.box = tab.locator("[data-run]:not([data-not-here])").first
        self.run_, self.edit_, self.stop, self.reset = self.box.locator(".run button").all()
        self.status = self.box.get_by_role("status")
        self.editor = self.box.locator(".cm-content")
        self.result = tab.locator(".ran")

    def run(self) -> str:
        """Run it to its end, and return what the status says."""
        self.run_.click()
        return self.wait()

    def wait(self) -> str:
        idle = "button => button.ariaDisabled !== 'true'"
        self.tab.wait_for_function(idle, arg=self.run_.element_handle(), timeout=PATIENCE)
        return self.status.text_content()

    def printed(self) -> str:
        return self.result.locator("pre").first.inner_text()

    def write(self, code: str) -> None:
        self.edit_.click()
        self.editor.wait_for()
        self.tab.keyboard.press("ControlOrMeta+a")
        self.tab.keyboard.insert_text(code)

    def runs(self, code: str) -> str:
        self.write(code)
        return self.run()


@contextmanager
def reading(browser, url: str, **options):
    """A page in a profile of its own, what it asks for, and its errors."""
    context = browser.new_context(**options)
    context.add_init_script(Axe().axe_script)
    tab, asked, errors = context.new_page(), [], []
    tab.on("request", lambda request: asked.append(request.url))
    # Chromium would keep the colour of text that is replaced, which the policy and editors refuse
    own = "Applying inline style violates"

    def hear(message):
        pictured = message.location["url"].endswith("picture.html")
        if message.type == "error" and own not in message.text and not pictured:
            errors.append(message.text)

    tab.on("console", hear)
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.goto(url)
    yield tab, asked, errors
    context.close()


@pytest.fixture(scope="module")
def open_block(browser, site):
    """One page in which Python is there."""
    with (
        serving(site) as address,
        reading(browser, address + path_of("en", "mean"), **DESKTOP) as (tab, _, errors),
    ):
        block = Block(tab)
        assert block.run().startswith("Same output as above")
        yield block
        assert not errors


@pytest.fixture
def block(open_block):
    yield open_block
    open_block.reset.press("Enter")  # a click may miss it where a frame was just clicked
    assert not open_block.result.count() and not open_block.editor.count()


def test_nothing_but_a_small_script_is_loaded_before_run(browser, site, sub_address):
    script = (site / "live/run.js").read_bytes()
    assert len(gzip.compress(script)) <= 6 * 1024
    for language in LANGUAGES:
        url = sub_address + path_of(language, "travel")
        with reading(browser, url, **DESKTOP) as (tab, asked, errors):
            tab.wait_for_load_state("networkidle")
            assert [x for x in asked if "/live/" in x] == [f"{sub_address}live/run.js"]
            Block(tab).edit_.click()
            Block(tab).editor.wait_for()
            assert [x for x in asked if "/live/" in x][1:] == [f"{sub_address}live/editor.js"]
            assert not errors


def test_what_differs_from_the_page_is_marked(block):
    code = block.box.locator("pre > code").text_content()
    status = block.runs(f"{code}print('more')\n")
    assert status.startswith("Output differs from the one above")
    assert block.result.locator("mark").all_text_contents() == ["more"]
    assert not block.box.locator("pre").is_visible()


def test_reset_brings_the_block_back(block):
    before = block.box.locator("pre > code").text_content()
    block.runs("print(1)")
    block.reset.click()
    assert block.box.locator("pre > code").is_visible()
    assert block.box.locator("pre > code").text_content() == before
    assert block.run().startswith("Same output as above")


def test_a_traceback_has_the_lines_of_the_reader(block):
    status = block.runs("from keras import layers\n\nlayers.Dense(2)(1)")
    assert status.startswith("Ended with an error")
    told = block.result.inner_text()
    assert 'File "main.py", line 3' in told and "site-packages" not in told


BAD = {
    "syntax": ("print(1", "Ended with an error", "SyntaxError: '(' was never closed"),
    "memory": ("x = [bytearray(10**8) for _ in range(20)]", "Ended with an error", "MemoryError"),
    "output": ("print('a line of output\\n' * 10**6)", "Stopped: it printed too much", "more char"),
    "exit": ("raise SystemExit('no')", "Exited with no", None),
    "end": ("import os; os._exit(1)", "Python itself ended", None),
    "question": ("input()", "Ended with an error", "EOFError"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_goes_wrong_ends_in_a_message_and_run_works_again(block, name):
    code, status, told = BAD[name]
    assert block.runs(code).startswith(status)
    if told:
        assert told in block.result.inner_text()
    assert block.runs("print('works')").startswith("Output differs")
    assert "works" in block.result.inner_text()


# what a script of the page could do, tried from Python; each is told as it ended
TRIES = """
import asyncio, js

async def tried(name, attempt):
    try:
        told = attempt()
        if hasattr(told, "then"):
            told = await told
    except BaseException as error:
        told = type(error).__name__
    print(f"{name}: {told}")

attempts = {
    "origin": lambda: js.origin,
    "page": lambda: js.document,
    "cookies": lambda: js.cookieStore,
    "storage": lambda: js.localStorage,
    "database": lambda: js.indexedDB.open("x"),
    "code": lambda: js.eval("1 + 1"),
    "script": lambda: js.importScripts("ADDRESS"),
}
for name, attempt in attempts.items():
    running = tried(name, attempt)
    try:
        running.send(None)
    except StopIteration:
        pass
js.postMessage("from python")
request = js.XMLHttpRequest.new()
try:
    request.open("GET", "ADDRESS", False)
    request.send()
    print("request:", request.status)
except BaseException as error:
    print("request:", type(error).__name__)
"""


def test_the_code_of_a_reader_reaches_neither_the_page_nor_an_address(block):
    """Refused by the browser, not by a list of ours: a sandboxed origin, under a policy."""
    answered = []
    block.tab.on("response", lambda response: answered.append(response.url))
    block.tab.evaluate("document.cookie = 'known=1'; localStorage.known = 1")
    block.runs(TRIES.replace("ADDRESS", block.tab.url.replace("en/mean/", "robots.txt")))
    told = dict(line.split(": ", 1) for line in block.printed().splitlines())
    assert told.pop("origin") == "null"
    assert told.keys() == {"page", "cookies", "storage", "database", "code", "script", "request"}
    assert set(told.values()) <= {"AttributeError", "JsException"}, told
    assert not answered


HARM = "parent.document.title = top.document.title = 'harmed'"
DRAWN = f"""
import keras
from pathlib import Path
from keras_masking import trace

print(trace(keras.Sequential([keras.Input((2, 1)), keras.layers.Masking()]), [[[0.0], [1.0]]]))
Path("a.html").write_text('''<p>hello</p><script>{HARM}</script><b onclick="{HARM}">x</b>''')
named = "xmlns='http://www.w3.org/2000/svg' width='40' height='9'"
Path("b.svg").write_text(f"<svg {{named}}><script>alert(1)</script></svg>")
"""


def test_pictures_are_shown_and_their_scripts_are_not_run(block):
    block.runs(DRAWN)
    trace, page = block.result.locator("iframe").all()
    assert block.result.locator("img").evaluate("x => x.decode().then(() => x.naturalWidth)") == 40
    page.content_frame.locator("b").click()
    assert page.content_frame.locator("p").inner_text() == "hello"
    assert trace.content_frame.locator("td").first.is_visible()
    assert trace.evaluate("x => x.height > 40")
    assert "harmed" not in block.tab.title()


def test_python_is_loaded_once_and_a_load_that_fails_says_why(browser, address):
    """Without a network it starts again after the first time."""
    with reading(browser, address + path_of("zh", "mean")) as (tab, asked, _):
        block = Block(tab)
        tab.route("**/packages.bin*", lambda route: route.abort())
        assert block.run().startswith("加载失败，请重试：")
        assert "packages.bin" in block.status.text_content()
        assert not block.result.count()
        tab.unroute("**/packages.bin*")
        tab.route("**/packages.bin*", lambda route: route.fulfill(body="half"))
        assert "packages.bin" in block.run()
        tab.unroute("**/packages.bin*")

        block.write("print('begun', flush=True)\nwhile True: pass")
        block.run_.click()
        block.result.get_by_text("begun").wait_for(timeout=PATIENCE)
        block.stop.click()
        assert block.wait() == "已停止"
        assert block.run_.evaluate("e => e === document.activeElement")
        tab.context.set_offline(True)
        assert block.runs("print(1)").startswith("输出与上面不同")
        tab.context.set_offline(False)
        tab.reload()
        asked.clear()
        assert Block(tab).run().startswith("输出与上面相同")
        assert not [url for url in asked if ".bin" in url]


def test_a_run_may_take_a_minute_and_a_frame_that_does_not_open_is_given_up(browser, address):
    with reading(browser, address + path_of("en", "mean")) as (tab, _, _):
        tab.clock.install()  # so that no minute passes
        block = Block(tab)
        tab.route("**/frame.html", lambda route: route.fulfill(body="", content_type="text/html"))
        block.run_.click()
        block.status.get_by_text("Starting").wait_for()
        tab.wait_for_selector("iframe", state="attached")
        tab.clock.fast_forward(21_000)
        assert block.wait() == "Could not be loaded; try again: frame.html did not open"
        tab.unroute("**/frame.html")

        block.write("print('begun', flush=True)\nwhile True: pass")
        block.run_.click()
        block.result.get_by_text("begun").wait_for(timeout=PATIENCE)
        tab.clock.fast_forward(59_000)
        assert block.status.text_content() == "Running …"
        tab.clock.fast_forward(2_000)
        assert block.wait() == "Stopped after 60 s"
        assert block.runs("print(1)").startswith("Output differs")


def test_the_keyboard_edits_runs_and_leaves(block):
    keys = block.tab.keyboard
    block.edit_.focus()
    keys.press("Enter")
    block.editor.wait_for()
    keys.press("ControlOrMeta+a")
    keys.type("if True:\nprint('typed')")  # the editor indents the second line
    keys.press("Shift+Tab")
    keys.press("Tab")
    keys.press("ControlOrMeta+Enter")
    assert block.wait().startswith("Output differs")
    assert "typed" in block.result.inner_text()
    assert block.editor.evaluate("e => e.getRootNode().activeElement === e")
    keys.press("Escape")
    keys.press("Tab")
    assert block.run_.evaluate("e => e === document.activeElement")
    keys.press("Tab")
    assert block.edit_.evaluate("e => e === document.activeElement")


def test_all_of_it_is_accessible_and_fits_a_narrow_phone(block):
    block.runs("import sys\nprint('x' * 200)\nprint('y', file=sys.stderr)\n1/0")
    block.tab.emulate_media(color_scheme="dark", reduced_motion="reduce")
    for width in (360, 320):
        block.tab.set_viewport_size({"width": width, "height": 700})
        check_access(block.tab)
    block.tab.emulate_media(color_scheme="light")
    check_access(block.tab)
    block.tab.set_viewport_size(DESKTOP["viewport"])

"""Pages that a browser opens by itself and that report what they find, in any browser.

No driver is needed, which Playwright has for Chromium and not for the Firefox of a distribution.
"""

import json
import os
import shutil
import subprocess
import tempfile
from functools import partial
from http import HTTPStatus
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

import pytest
from conftest import BROWSERS, FLAGS

from sitekit.published.serve import HOST, Handler, Server

COMMANDS = {
    "chromium": (BROWSERS, f"--headless {FLAGS} --user-data-dir={{profile}}"),
    "firefox": (("firefox-esr", "firefox"), "--headless --no-remote --profile {profile}"),
}


class Listening(Handler):
    """Serves a folder, and takes what a page posts."""

    def __init__(self, *args, told: Queue, **kwargs):
        self.told = told
        super().__init__(*args, **kwargs)

    def do_POST(self):
        self.told.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(HTTPStatus.NO_CONTENT)
        self.end_headers()


def visit(browser: str, folder: Path, path: str, answers: int, patience: float) -> list:
    """What a page in a folder posts: so many answers, each within `patience` seconds."""
    names, options = COMMANDS[browser]
    found = next(filter(None, map(shutil.which, names)), None)
    if not found:
        reason = f"no {names[0]} found; to install it: sudo apt-get install {names[0]}"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    told = Queue()
    handler = partial(Listening, told=told, directory=str(folder))
    with (
        Server((HOST, 0), handler) as web,
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile,
    ):
        Thread(target=web.serve_forever, daemon=True).start()
        address = f"http://{HOST}:{web.server_port}/{path}"
        command = [found, *options.format(profile=profile).split(), address]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with subprocess.Popen(command, **quiet) as process:
            try:
                return [told.get(timeout=patience) for _ in range(answers)]
            except Empty:
                pytest.fail(f"{found} said nothing for {patience:.0f} s")
            finally:
                process.terminate()
                web.shutdown()

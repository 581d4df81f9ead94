"""The file server behind `make serve`."""

import gzip
import os
import signal
import socket
import subprocess
import sys
from http.client import HTTPConnection

import pytest

from sitekit.published.serve import HOST


@pytest.fixture
def get(address):
    connection = HTTPConnection(address.removeprefix("http://").rstrip("/"))

    def get_(path, method="GET", **headers):
        connection.request(
            method, path, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )
        response = connection.getresponse()
        return response, response.read()

    yield get_
    connection.close()


def test_a_folder_shows_its_index(get, site):
    response, body = get("/zh/why/")
    assert response.status == 200
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert body == (site / "zh/why/index.html").read_bytes()


def test_a_folder_without_its_slash_is_redirected(get):
    response, _ = get("/zh/why")
    assert (response.status, response.headers["Location"]) == (301, "/zh/why/")


@pytest.mark.parametrize("path", ["/nothing", "/zh/nothing/", "/zh/assets/", "/../mkdocs.yml"])
def test_what_is_not_there_is_a_404_with_the_page_for_it(get, site, path):
    response, body = get(path)
    assert response.status == 404
    assert body == (site / "404.html").read_bytes()


def test_text_is_compressed_for_those_who_accept_it(get, site):
    response, body = get("/en/", Accept_Encoding="gzip")
    assert response.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(body) == (site / "en/index.html").read_bytes()


def test_what_a_browser_has_is_not_sent_again(get):
    response, _ = get("/en/assets/site.js")
    again, body = get("/en/assets/site.js", If_None_Match=response.headers["ETag"])
    assert (again.status, body) == (304, b"")


def test_the_head_of_a_page_comes_without_its_body(get):
    response, body = get("/en/", "HEAD")
    assert (response.status, body) == (200, b"")


def test_wheel_notebook_markdown_and_picture_have_their_types(get, site):
    (wheel,) = site.glob("*.whl")
    for path, expected in {
        f"/{wheel.name}": "application/zip",
        "/en/lab/lab.ipynb": "application/x-ipynb+json",
        "/zh/index.html.md": "text/markdown; charset=utf-8",
        "/favicon.svg": "image/svg+xml",
    }.items():
        assert get(path)[0].headers["Content-Type"] == expected


def start(site, port: int, *options: str) -> subprocess.Popen:
    """What `make serve PORT=…` runs, with the site of these tests."""
    code = (
        "import pathlib, sys; from sitekit.published import serve; "
        "serve.ROOT = pathlib.Path(sys.argv.pop()); serve.main()"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, *options, site.parent],
        env=os.environ | {"PORT": str(port)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("options", [(), ("--live", "zh")])
def test_a_busy_port_is_one_clear_line(site, options):
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        process = start(site, port, *options)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert out == ""
    assert err.startswith(f"Port {port} is in use") and "PORT=" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("caller", [signal.SIG_DFL, signal.SIG_IGN])
def test_the_address_is_printed_and_an_interrupt_ends_it_quietly(site, caller):
    """Also where the caller ignores interrupts, as a shell does for what runs behind it."""
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    before = signal.signal(signal.SIGINT, caller)
    try:
        process = start(site, port)
    finally:
        signal.signal(signal.SIGINT, before)
    try:
        assert f"http://{HOST}:{port}/" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert (process.returncode, out.strip(), err) == (0, "", "")

"""Serve what was built, as a web host would: python -m sitekit.published.serve

To what http.server does it adds what hosts do and measurements of a site depend on: compression,
an ETag, a page for what is not there.

`--live zh` is for authors: one language, rebuilt and reloaded when a file
changes. The notebook is then shown without being run.
"""

import argparse
import errno
import gzip
import os
import signal
import subprocess
import sys
from functools import lru_cache, partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

from sitekit.published.build import LANGUAGES, ROOT, environment

HOST = "127.0.0.1"
# what is compressed already
COMPRESSED = ("application/zip", "application/octet-stream")


@lru_cache(maxsize=256)
def compressed(path: Path, modified: int) -> bytes:
    return gzip.compress(path.read_bytes(), mtime=0)


class Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    extensions_map = {
        **SimpleHTTPRequestHandler.extensions_map,
        ".html": "text/html; charset=utf-8",
        ".css": "text/css; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".mjs": "text/javascript; charset=utf-8",
        ".bin": "application/octet-stream",
        ".json": "application/json",
        ".md": "text/markdown; charset=utf-8",
        ".txt": "text/plain; charset=utf-8",
        ".xml": "application/xml",
        ".svg": "image/svg+xml",
        ".ipynb": "application/x-ipynb+json",
        ".whl": "application/zip",
    }

    def send_head(self):
        path = Path(self.translate_path(self.path))
        if path.is_dir():
            if not self.path.split("?")[0].endswith("/"):
                return super().send_head()  # a redirect to the folder
            path /= "index.html"
        if path.is_file():
            return self.send_page(path, HTTPStatus.OK)
        return self.send_page(Path(self.directory, "404.html"), HTTPStatus.NOT_FOUND)

    def send_page(self, path: Path, status: HTTPStatus) -> BytesIO | None:
        stat = path.stat()
        kind = self.guess_type(path)
        packed = "gzip" in self.headers.get("Accept-Encoding", "") and kind not in COMPRESSED
        tag = f'"{stat.st_mtime_ns:x}-{stat.st_size:x}{"-gzip" if packed else ""}"'
        fresh = status == HTTPStatus.OK and self.headers.get("If-None-Match") == tag
        body = compressed(path, stat.st_mtime_ns) if packed else path.read_bytes()
        self.send_response(HTTPStatus.NOT_MODIFIED if fresh else status)
        self.send_header("Cache-Control", "no-cache")
        self.send_header("ETag", tag)
        self.send_header("Vary", "Accept-Encoding")
        if fresh:
            self.end_headers()
            return None
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if packed:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        return BytesIO(body)

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        # a browser that closes a connection early is no error of the server
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def server(directory: Path, port: int) -> Server:
    """A server of `directory`, listening at HOST; port 0 takes a free one."""
    try:
        return Server((HOST, port), partial(Handler, directory=str(directory)))
    except (OSError, OverflowError) as error:
        busy = getattr(error, "errno", None) == errno.EADDRINUSE
        reason = "is in use" if busy else f"cannot be opened ({error})"
        sys.exit(f"Port {port} {reason}: choose another, for example PORT={port % 60000 + 1}.")


def serve(directory: Path, port: int) -> None:
    with server(directory, port) as web:
        if not (directory / "index.html").is_file():
            sys.exit(f"{directory} holds no built site: run `make build` first.")
        print(f"Serving at http://{HOST}:{port}/ (Ctrl-C stops it)", flush=True)
        web.serve_forever()


def live(language: str, port: int) -> int:
    server(ROOT, port).server_close()  # MkDocs would build first, then fail on a busy port
    # --livereload: MkDocs 1.6.1 with a newer click takes its absence for "off"
    command = ["mkdocs", "serve", "--livereload", "--dev-addr", f"{HOST}:{port}"]
    variables = environment(language) | {"RUN_LAB": "false"}
    return subprocess.run([sys.executable, "-m", *command], cwd=ROOT, env=variables).returncode


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sitekit.published.serve", description=__doc__)
    parser.add_argument("--port", type=int, default=os.environ.get("PORT", "8000"))
    parser.add_argument("--live", choices=LANGUAGES, metavar="LANGUAGE")
    options = parser.parse_args()
    # what is started in the background inherits that Ctrl-C is ignored
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        if options.live:
            sys.exit(live(options.live, options.port))
        serve(ROOT / "site", options.port)
    except KeyboardInterrupt:
        print()


if __name__ == "__main__":
    main()

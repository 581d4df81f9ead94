"""Build what a page loads to run Keras: Python, Keras and this package, made for the browser.

    python -m live.build --out site/live

README.md in this folder lists the files.
"""

import argparse
import json
import os
import sys
from importlib.metadata import version
from pathlib import Path

from live import HERE, ROOT, paging, parts
from live.archives import packed, stored, tar
from live.compiled import compiled
from live.parts import PARTS, Files, Missing, sha256

STANDARD_LIBRARY = "/lib/python312.zip"
SITE_PACKAGES = "/lib/python3.12/site-packages"
INSTALLED = ("keras", "rich", "packaging")


def build(out: Path) -> bool:
    """Write the files into the folder `out`, and return whether that was done.

    It is not where Node is missing, or Pyodide was never fetched and cannot be now; a line says so.

    Raises:
        SystemExit: the same, and `CI` is "true".
        WrongPart: a part is not what its hash says.
    """
    try:
        files = made() | paging.scripts()
    except Missing as error:
        message = f"No block will run in the page: {error}"
        if os.environ.get("CI") == "true":
            sys.exit(message)
        print(message)
        return False
    out.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (out / name).write_bytes(data)
    return True


def made() -> Files:
    """The files, in the order in which a page wants them.

    Raises:
        Missing: there is no Node, or no Pyodide.
        WrongPart: a part is not what its hash says.
    """
    pyodide = parts.pyodide()
    library = parts.python(pyodide["python_stdlib.zip"])
    each = [
        parts.numpy(pyodide["pyodide-lock.json"]),
        *map(parts.installed, INSTALLED),
        parts.stand_ins(),
    ]
    packages: Files = {}
    for files in each:
        packages |= compiled(files, SITE_PACKAGES, pyodide)
    ours = compiled(parts.ours(), SITE_PACKAGES, pyodide)
    files = {
        "boot.mjs": (HERE / "boot.mjs").read_bytes(),
        "pyodide.mjs": pyodide["pyodide.mjs"],
        "pyodide.asm.js": pyodide["pyodide.asm.js"],
        "pyodide.asm.wasm.bin": packed(pyodide["pyodide.asm.wasm"]),
        "python_stdlib.bin": packed(stored(compiled(library, STANDARD_LIBRARY, pyodide))),
        "packages.bin": packed(tar(packages)),
        "keras_masking.bin": packed(tar(ours)),
    }
    return files | {"manifest.json": manifest(files)}


def manifest(files: Files) -> bytes:
    versions = {
        "pyodide": PARTS["pyodide"]["version"],
        "numpy": PARTS["numpy"]["version"],
        **{name: version(name) for name in (*INSTALLED, "keras_masking")},
    }
    listed = [
        {"name": name, "bytes": len(data), "sha256": sha256(data)} for name, data in files.items()
    ]
    return (json.dumps({"versions": versions, "files": listed}, indent=2) + "\n").encode()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m live.build", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "site/live")
    out = parser.parse_args().out.resolve()
    if build(out):
        total = 0
        for path in sorted(out.iterdir()):
            total += path.stat().st_size
            print(f"{path.stat().st_size:>10,} {path.name}")
        print(f"{total:>10,} in all")


if __name__ == "__main__":
    main()

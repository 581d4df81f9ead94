"""What a page loads beside the runtime: its scripts as they are, and the editor as one file."""

import subprocess
import tempfile
from pathlib import Path

from live import HERE, archives
from live.parts import Files, Missing, need

PAGE = HERE / "page"
AS_THEY_ARE = (
    "run.js",
    "python.js",
    "worker.js",
    "frame.html",
    "picture.html",
    "playground.js",
    "playground-models.js",
    "playground-links.js",
)
BUNDLED = ("package.json", "package-lock.json", ".npmrc", "editor.js")


def scripts() -> Files:
    """The files, by name.

    Raises:
        Missing: there is no npm, or it could not fetch what the editor is made of.
    """
    sources = {name: (PAGE / name).read_bytes() for name in BUNDLED}
    made_of = archives.tar(sources | {"paging.py": Path(__file__).read_bytes()})
    bundle = archives.made_once("editor", made_of, lambda: _bundled(sources))
    files = {name: (PAGE / name).read_bytes() for name in AS_THEY_ARE}
    return files | {"editor.js": bundle}


def _bundled(sources: Files) -> bytes:
    """editor.js with all that it imports; npm runs none of the scripts that packages bring."""
    need("npm")
    with tempfile.TemporaryDirectory() as folder:
        for name, data in sources.items():
            Path(folder, name).write_bytes(data)
        installed = subprocess.run(
            ["npm", "ci", "--silent", "--no-audit", "--no-fund"],
            cwd=folder,
            capture_output=True,
            text=True,
        )
        if installed.returncode:
            raise Missing(f"npm did not fetch the editor. {installed.stderr.strip()}")
        # esbuild, which is not in the bundle, has a LICENSE.md
        licences = dict.fromkeys(
            path.read_text(encoding="utf-8").strip()
            for path in sorted(Path(folder, "node_modules").rglob("LICENSE"))
        )
        notice = "\n\n".join(licences)
        options = ["--bundle", "--minify", "--format=esm", "--target=es2022"]
        options.append(f"--banner:js=/*! {notice} */")
        built = subprocess.run(
            ["node", "node_modules/esbuild/bin/esbuild", "editor.js", *options],
            cwd=folder,
            capture_output=True,
            check=True,
        )
        return built.stdout

"""Build the site: both languages, the root page and the wheel, into one folder.

    SITE_URL=https://example.org/masking python -m sitekit.published.build --out site

`SITE_URL` is the address that the site will be published at, with or without
a slash at its end; `REPO_URL` the repository that pages link to for edits.
The folder appears whole or not at all: it is built beside its place, then
swapped in.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader

import live.build
from sitekit import ROOT
from sitekit.published import policy

LANGUAGES = {
    "zh": {
        "SITE_NAME": "Keras 掩码",
        "SITE_DESCRIPTION": "掩码在 Keras 里到底怎么工作：每段代码都真正运行过，每个输出都核对过。",
        "COPYRIGHT": "代码以 MIT 许可发布，可以自由复制。",
        "NAV_LEARN": "学习",
        "NAV_PRACTICE": "实践",
        "NAV_LAYERS": "层",
        "NAV_EVIDENCE": "实证",
        "NAV_REFERENCE": "查阅",
        "NAV_API": "参考",
        "TO_LIGHT": "切换到浅色",
        "TO_DARK": "切换到深色",
        "TO_AUTO": "跟随系统",
        "PERMALINK": "本节链接",
    },
    "en": {
        "SITE_NAME": "Keras masking",
        "SITE_DESCRIPTION": "How masks work in Keras: every block runs, each output is checked.",
        "COPYRIGHT": "The code is under the MIT licence: copy it freely.",
        "NAV_LEARN": "Learn",
        "NAV_PRACTICE": "In practice",
        "NAV_LAYERS": "Layers",
        "NAV_EVIDENCE": "Evidence",
        "NAV_REFERENCE": "Look up",
        "NAV_API": "Reference",
        "TO_LIGHT": "Use light colours",
        "TO_DARK": "Use dark colours",
        "TO_AUTO": "Follow the system",
        "PERMALINK": "Link to this section",
    },
}


def root_url() -> str:
    return os.environ.get("SITE_URL", "http://127.0.0.1:8000").rstrip("/") + "/"


def environment(language: str) -> dict[str, str]:
    """The environment that `mkdocs` builds one language in; mkdocs.yml reads it."""
    variables = {
        **os.environ,
        **LANGUAGES[language],
        "SITE_LANGUAGE": language,
        "ROOT_URL": root_url(),
        "ROOT_PATH": urlsplit(root_url()).path,
        "LANGUAGE_URL": f"{root_url()}{language}/",
        "DOCS_DIR": f"docs/{language}",
        "SHARED_DIR": f"docs/shared/{language}",
        # the lab runs in a kernel of this very Python, whatever else is registered,
        # and TensorFlow's start-up log does not become an output of a cell
        "JUPYTER_PATH": str(Path(__file__).with_name("notebook")),
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "NO_MKDOCS_2_WARNING": "1",
    }
    if os.environ.get("REPO_URL"):
        variables["EDIT_URI"] = f"edit/main/docs/{language}/"
    return variables


def start(*command: str, **options) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        **options,
    )


def start_language(language: str, **variables: str) -> subprocess.Popen:
    """Start to build one language; `variables` go over those of its environment.

    Without `--quiet`, which hides warnings from `--strict` too.
    """
    return start("mkdocs", "build", "--strict", env=environment(language) | variables)


def finish(what: str, process: subprocess.Popen) -> None:
    output, _ = process.communicate()
    if process.returncode:
        sys.exit(f"{output.rstrip()}\nThe site was not built: {what} failed, see above.")


def build(out: Path) -> None:
    """Build everything into `out`, which must be empty."""
    finish("the wheel", start("hatchling", "build", "-t", "wheel", "-d", str(out)))
    (wheel,) = out.glob("*.whl")
    runs = live.build.build(out / "live")
    with ExitStack() as running:
        builds = {}
        for language in LANGUAGES:
            variables = {"SITE_DIR": str(out / language), "WHEEL": wheel.name, "LIVE": str(runs)}
            process = start_language(language, **variables)
            # when one language fails the other need not go on
            running.enter_context(process)
            running.callback(process.kill)
            builds[language] = process
        for language, process in builds.items():
            finish(f"docs/{language}", process)
            # GitHub Pages and sitekit.published.serve show the one at the root
            (out / language / "404.html").unlink()
            shutil.copy(ROOT / f"docs/shared/card-{language}.png", out / language / "card.png")

    templates = Environment(loader=FileSystemLoader(Path(__file__).with_name("root")))
    pages = {
        language: json.loads((out / language / "blocks.json").read_text(encoding="utf-8"))
        for language in LANGUAGES
    }
    for name in ("index.html", "404.html", "robots.txt", "sitemap.xml", "llms.txt"):
        page = templates.get_template(name).render(
            root=root_url(), path=urlsplit(root_url()).path, languages=LANGUAGES, pages=pages
        )
        (out / name).write_text(page, encoding="utf-8")
    shutil.copy(ROOT / "docs/theme/assets/favicon.svg", out)
    (out / ".nojekyll").touch()
    policy.secure(out)


def swap(new: Path, out: Path) -> None:
    old = new.with_name("old")
    if out.exists():
        out.rename(old)
    new.rename(out)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sitekit.published.build", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "site")
    out = parser.parse_args().out.resolve()
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as folder:
        new = Path(folder, "new")
        new.mkdir()
        build(new)
        swap(new, out)
    print(f"Built {out}")


if __name__ == "__main__":
    main()

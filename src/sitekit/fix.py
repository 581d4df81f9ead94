"""Rewrites what is generated: figures, tables, files to copy and the output under every block.

python -m sitekit.fix [--check] [PAGE ...]
"""

import argparse
import os
import sys
from pathlib import Path

# before Keras is imported, which is why the functions import what they use
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # the same on every CPU


def generated(site) -> dict[Path, str]:
    """Figures, tables and the files to copy, as they are drawn, measured and assembled now."""
    from sitekit.drawn import copies, figures, tables

    made = figures.render_all() | tables.render_all() | copies.render_all(site.root)
    return {site.root / path: text for path, text in made.items()}


def fix(site, pages, *, shared: bool, check: bool) -> int:
    """Rewrite and name each file that changes; 1 where a block raised, a text or a reason is
    missing, or `check` found work."""
    from keras_masking.rendering.files import write
    from sitekit.drawn.texts import TextError
    from sitekit.measured.costs import CostError
    from sitekit.pages.blocks import BlockError
    from sitekit.pages.outputs import with_outputs
    from sitekit.pages.page import PageError

    changed, failed = [], []
    try:
        drawn = generated(site) if shared else {}
    except (TextError, CostError) as error:
        drawn = {}
        failed.append(error)
    for path, text in drawn.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            changed.append(path.relative_to(site.root))
            if not check:
                write(path, text)
    for page in pages:
        try:
            text = with_outputs(page)
        except (BlockError, PageError) as error:
            failed.append(error)
            continue
        if text != "\n".join(page.source):
            changed.append(page.path)
            if not check:
                write(page.file, text)
    for path in changed:
        print(f"{'would change' if check else 'changed'}: {path}")
    for error in failed:
        print(error, file=sys.stderr)
    return 1 if failed or (check and changed) else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sitekit.fix", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; 1 where it would")
    parser.add_argument("pages", nargs="*", type=Path, help="only the outputs of these pages")
    arguments = parser.parse_args()

    from sitekit.pages.page import Site

    site = Site(Path.cwd())
    pages = list(site.pages())
    if arguments.pages:
        known = {page.file.resolve(): page for page in pages}
        unknown = [path for path in arguments.pages if path.resolve() not in known]
        if unknown:
            parser.error(f"not a page of docs/en or docs/zh: {', '.join(map(str, unknown))}")
        pages = [known[path.resolve()] for path in arguments.pages]
    return fix(site, pages, shared=not arguments.pages, check=arguments.check)


if __name__ == "__main__":
    sys.exit(main())

"""Rewrites what is generated: figures, tables, files to copy and the output under every block.

python -m sitekit.fix [--check] [PAGE ...]
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")


def with_outputs(page) -> str:
    """The page's text with the output fences as its blocks print them now.

    Raises:
        BlockError: a block raised.
    """
    from sitekit.blocks import run

    source = list(page.source)
    for block in reversed(page.blocks):
        printed, indent = run(block), block.fence.indent
        fence = [
            indent + "```output",
            *(indent + line for line in printed.splitlines()),
            indent + "```",
        ]
        if block.output and printed:
            source[block.output.line - 1 : block.output.end] = fence
        elif block.output:
            del source[block.fence.end : block.output.end]
        elif printed:
            source[block.fence.end : block.fence.end] = ["", *fence]
    return "\n".join(source)


def write(path: Path, text: str) -> None:
    """Replace the file in one step, so that no reader sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as new:
        new.write(text)
    os.chmod(new.name, 0o644)
    os.replace(new.name, path)


def generated(site) -> dict[Path, str]:
    """Figures, tables and the files to copy, as they are drawn, measured and assembled now."""
    from sitekit import copies, figures, tables

    made = figures.render_all() | tables.render_all() | copies.render_all(site.root)
    return {site.root / path: text for path, text in made.items()}


def fix(site, pages, *, shared: bool, check: bool) -> int:
    """Rewrite and name each file that changes; 1 where a block raised, or `check` found work."""
    from sitekit.blocks import BlockError
    from sitekit.pages import PageError

    changed, failed = [], []
    if shared:
        for path, text in generated(site).items():
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

    from sitekit.pages import Site

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

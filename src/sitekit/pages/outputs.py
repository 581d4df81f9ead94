"""Rewrites the outputs of a page, where pytest-codeblocks only compares them."""

from sitekit.pages.blocks import run
from sitekit.pages.page import Page


def with_outputs(page: Page) -> str:
    """The page's text with the output fences as its blocks print them now.

    Raises:
        BlockError: a block raised.
    """
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

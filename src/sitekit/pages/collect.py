"""pytest plugin: the blocks of a page are tests, collected from the page itself."""

import os
from pathlib import Path

import pytest


def pytest_configure(config):
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # the same on every CPU


def pytest_collect_file(file_path: Path, parent):
    root = parent.config.rootpath
    if file_path.suffix == ".md" and (
        file_path.parent == root or root / "docs" in file_path.parents
    ):
        return PageFile.from_parent(parent, path=file_path)


class PageFile(pytest.File):
    def collect(self):
        from sitekit.pages.blocks import BlockItem, extract
        from sitekit.pages.page import Page, PageError, Site

        root = self.config.rootpath
        path = self.path.relative_to(root)
        language = path.parts[1] if len(path.parts) > 2 else None
        try:
            blocks = extract(Page(Site(root), path, language))
        except PageError as error:
            raise self.CollectError(str(error)) from None
        for block, code in blocks:
            yield BlockItem.from_parent(self, name=f"line {block.line}", block=block, code=code)

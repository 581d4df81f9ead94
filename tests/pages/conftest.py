"""A small site that is right in everything, for tests to break in one place."""

import json
from pathlib import Path

import pytest

from sitekit.pages.page import Site

ROOT = Path(__file__).parents[2]

PAGE = """---
description: {description}
---

# {title} {{ #demo }}

{prose}

```python title="add.py" hl_lines="1"
print(1 + 1)  # {comment}
```

```output
2
```

--8<-- "figures/demo.html"

## {breaks} {{ #what-breaks }}

```python
--8<-- "copies/demo.py"
```

## {sources} {{ #sources }}

- [{link}](other.md#end)

## {next} {{ #next }}

```sh
echo done
```

```output
done
```
"""
ENGLISH = {
    "description": "A page.",
    "title": "Demo",
    "prose": "One sentence about a mask.",
    "comment": "the sum",
    "breaks": "What breaks",
    "sources": "Sources",
    "link": "the end",
    "next": "Next",
}
CHINESE = {
    "description": "一个页面。",
    "title": "演示",
    "prose": "关于掩码的一句话。",
    "comment": "求和",
    "breaks": "会出什么错",
    "sources": "来源",
    "link": "结尾",
    "next": "接下来",
}
OTHER = """---
description: {description}
---

# {title} {{ #other }}

--8<-- "figures/demo.html"

## {next} {{ #end }}

## {breaks} {{ #what-breaks }}

## {sources} {{ #sources }}

## {title} {{ #next }}

::: keras_masking.Demo
    options:
      heading_level: 3
"""
FILES = {
    "docs/en/demo.md": PAGE.format(**ENGLISH),
    "docs/zh/demo.md": PAGE.format(**CHINESE),
    "docs/en/other.md": OTHER.format(**ENGLISH),
    "docs/zh/other.md": OTHER.format(**CHINESE),
    "docs/shared/en/figures/demo.html": "<figure>\n</figure>\n",
    "docs/shared/zh/figures/demo.html": "<figure>\n</figure>\n",
    "src/keras_masking/__init__.py": "from keras_masking.layers import Demo\n",
    "src/keras_masking/layers/__init__.py": "from keras_masking.layers.demo import Demo\n",
    "docs/shared/names.toml": 'Demo = "一个层。"\n',
    "docs/shared/copies/demo.py": "class Demo:\n    pass\n",
    "src/keras_masking/layers/demo.py": "class Demo:\n    pass\n",
    "tests/layers/test_demo.py": "",
    "mkdocs.yml": "site_name: x\nnav:\n  - demo.md\n  - !ENV [A, b]:\n      - other.md\n",
    "pyproject.toml": '[tool.pytest.ini_options]\naddopts = "-p sitekit.pages.collect"\n',
}


class Mini:
    """A site in a folder, and ways to break it."""

    def __init__(self, root: Path):
        self.root = root
        for name, text in FILES.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")

    @property
    def site(self) -> Site:
        return Site(self.root)

    def text(self, name: str) -> str:
        return (self.root / name).read_text(encoding="utf-8")

    def write(self, name: str, text: str) -> None:
        (self.root / name).write_text(text, encoding="utf-8")

    def change(self, name: str, old: str, new: str) -> None:
        text = self.text(name)
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
        self.write(name, text.replace(old, new))

    def change_both(self, name: str, old: str, new: str) -> None:
        for language in ("en", "zh"):
            self.change(f"docs/{language}/{name}", old, new)

    def remove(self, name: str) -> None:
        (self.root / name).unlink()


@pytest.fixture
def mini(tmp_path) -> Mini:
    return Mini(tmp_path)


CELLS = {
    "en": {
        "description": "A lab.",
        "text": "# Lab\n[a](demo.md#next)",
        "code": "print(1)  # one",
        "alt": "A line.",
    },
    "zh": {
        "description": "一个实验。",
        "text": "# 实验\n[甲](demo.md#next)",
        "code": "print(1)  # 一",
        "alt": "一条线。",
    },
}


@pytest.fixture
def lab(mini):
    """Makes the small site with a notebook in it; what is given stands instead of what is right."""

    def with_notebook(**parts) -> Mini:
        mini.change("mkdocs.yml", "- demo.md", "- demo.md\n  - lab.ipynb")
        for language, good in CELLS.items():
            part = good | parts.get(language, {})
            text = {"cell_type": "markdown", "id": "lab", "metadata": {}, "source": [part["text"]]}
            code = {
                "cell_type": "code",
                "id": "one",
                "metadata": {"alt": part["alt"]} if part["alt"] else {},
                "outputs": part.get("outputs", []),
                "source": [part["code"]],
            }
            notebook = {"cells": [text, code], "metadata": {"description": part["description"]}}
            mini.write(f"docs/{language}/lab.ipynb", json.dumps(notebook))
        return mini

    return with_notebook


@pytest.fixture(scope="session")
def site() -> Site:
    return Site(ROOT)

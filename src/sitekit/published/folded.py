"""MkDocs hook: a file that readers copy stands folded, under its signature, and can be downloaded.

The page includes it in a fence with its name as the title, as any block. Opened, it is that block.
"""

import json
import re
from html import escape

from mkdocs.structure.files import File

from sitekit import ROOT
from sitekit.drawn.copies import FOLDER, SIGNATURES

FILES = {
    path.name: path
    for path in [
        *(ROOT / FOLDER).glob("*.py"),
        *(ROOT / "src/keras_masking" / name for name in ("conversions.py", "losses.py")),
    ]
}
WORDS = {
    "en": {"lines": "{count} lines", "download": "Download", "label": "Download {name}"},
    "zh": {"lines": "{count} 行", "download": "下载", "label": "下载 {name}"},
}
_BLOCK = re.compile(
    r'<div class="[^"]*highlight"><span class="filename">(?P<name>\w+\.py)</span>'
    r"<pre>.*?</pre>\n?</div>",
    re.DOTALL,
)


def on_files(files, config):
    for name, path in FILES.items():
        files.append(File.generated(config, f"files/{name}", abs_src_path=str(path)))
    return files


def on_page_content(html, page, config, files):
    signatures = json.loads((ROOT / SIGNATURES).read_text(encoding="utf-8"))
    words = WORDS[config.theme["language"]]
    up = "../" * page.url.count("/")

    def fold(match: re.Match) -> str:
        name = match["name"]
        if name not in FILES:
            return match[0]
        count = len(FILES[name].read_text(encoding="utf-8").splitlines())
        whole = match[0].replace(f'<span class="filename">{name}</span>', "")
        made = signatures.get(name)
        signature = ""
        if made:
            layer, rest = re.match(r"(\w+)(.*)", made).groups()
            goal = f"{up}reference/layers/#keras_masking.{layer}"
            signature = (
                f'<p class="signature"><code><a href="{goal}">{layer}</a>{escape(rest)}</code></p>'
            )
        return (
            f"{signature}<div class='file'><details><summary><code>{name}</code> "
            f"<small>{words['lines'].format(count=count)}</small></summary>{whole}</details>"
            f'<a href="{up}files/{name}" download '
            f'aria-label="{words["label"].format(name=name)}">{words["download"]}</a></div>'
        )

    return _BLOCK.sub(fold, html)

"""Runs inside Pyodide: compiles the modules below /from into /to.

Docstrings become empty; they stay strings, since Keras edits some. The bytecode is marked as
unchecked, so that no source is looked for.
"""

import ast
import importlib.util
import marshal
from pathlib import Path

HEADER = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + bytes(8)
DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def compiled(source: bytes, filename: str) -> bytes:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body[0].value.value = ""
    return HEADER + marshal.dumps(compile(tree, filename, "exec", dont_inherit=True))


for path in sorted(Path("/from").rglob("*.py")):
    name = path.relative_to("/from")
    target = Path("/to", name).with_suffix(".pyc")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(compiled(path.read_bytes(), f"{PREFIX}/{name}"))  # noqa: F821

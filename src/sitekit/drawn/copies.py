"""The files that readers copy: a layer with what it uses of the modules that layers share.

A copy needs keras and numpy only. It holds whole classes and functions, as they are in the source,
each once: first what the layer is made from, then the layer, then what these call, in the order in
which a reader meets it.
"""

import ast
import inspect
import json
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

FOLDER = Path("docs/shared/copies")
SIGNATURES = FOLDER / "signatures.json"
_PACKAGE = "keras_masking"


def render_all(root: Path) -> dict[Path, str]:
    """The text of each copy, by its path from `root`."""
    sources = sorted((root / "src" / _PACKAGE / "layers").glob("[!_]*.py"))
    copied = {FOLDER / source.name: assembled(root, source) for source in sources}
    return copied | {SIGNATURES: signatures([path.stem for path in copied])}


def signatures(modules: list[str]) -> str:
    """How each layer is made, by its file."""
    import keras_masking

    found = {}
    for cls in map(keras_masking.__dict__.get, keras_masking.__all__):
        module = cls.__module__.rpartition(".")[2]
        if inspect.isclass(cls) and module in modules:
            signature = inspect.Signature(_parameters(cls.__mro__))
            found[f"{module}.py"] = f"{cls.__name__}{signature}"
    return json.dumps(found, indent=1, sort_keys=True) + "\n"


def _parameters(classes: tuple[type, ...]) -> list[inspect.Parameter]:
    """Those of the first that says how it is made, `*args` as the next one understands them."""
    cls, *others = classes
    if cls.__module__ == "keras.src.layers.layer":
        return [inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD)]
    if "__init__" not in vars(cls):
        return _parameters(others)
    said = list(inspect.signature(cls.__init__).parameters.values())[1:]
    own = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in said]
    if own[0].kind is not inspect.Parameter.VAR_POSITIONAL:
        return own
    inherited = _parameters(others)
    return [*inherited[:-1], *own[1:-1], inherited[-1]]


def assembled(root: Path, source: Path) -> str:
    """One file of the layer in `source` and of what it uses of the package, formatted."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    module_of = cache(lambda name: _Module(root / "src" / (name.replace(".", "/") + ".py")))
    imports, definitions, called = set(), {}, []

    def take(module, name):
        """The definition after its bases, or the line that imports the name."""
        while name in module.taken:
            module = module_of(module.taken[name])
        node = module.defined.get(name)
        if node is None:
            imports.update(module.imports.get(name, ()))
        elif name not in definitions:
            bases = [n for base in getattr(node, "bases", ()) for n in _names(base)]
            for base in bases:
                take(module, base)
            definitions[name] = module.text_of(node)
            called.extend((module, used) for used in _names(node) if used not in bases)

    layer = _Module(source)
    for name in layer.defined:
        if not isinstance(layer.defined[name], ast.FunctionDef):
            take(layer, name)
    for module, name in called:  # which grows while it is read
        take(module, name)
    header = (
        f"# {project['name']} {project['version']}. Licence: {project['license']}.\n"
        f"# {source.relative_to(root)} and what it uses of the files beside it.\n"
    )
    text = "\n\n\n".join(definitions.values())
    return _formatted("\n".join([header, *sorted(imports), text, ""]))


class _Module:
    """What a file defines, the lines that import, and where in the package other names are."""

    def __init__(self, path: Path):
        self._lines = path.read_text(encoding="utf-8").splitlines()
        self.defined, self.imports, self.taken = {}, {}, {}
        for node in ast.parse("\n".join(self._lines)).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                self.defined[node.name] = node
            elif isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == _PACKAGE:
                self.taken |= {alias.name: node.module for alias in node.names}
            elif isinstance(node, ast.Import | ast.ImportFrom):
                for alias in node.names:
                    self.imports[alias.asname or alias.name] = [self.text_of(node)]

    def text_of(self, node) -> str:
        first = min([node, *getattr(node, "decorator_list", ())], key=lambda part: part.lineno)
        return "\n".join(self._lines[first.lineno - 1 : node.end_lineno])


def _names(node) -> list[str]:
    """The names in it, in reading order, each once."""
    found = [part for part in ast.walk(node) if isinstance(part, ast.Name)]
    found.sort(key=lambda part: (part.lineno, part.col_offset))
    return list(dict.fromkeys(part.id for part in found))


def _formatted(text: str) -> str:
    for command in (["check", "--select", "I", "--fix-only"], ["format"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--quiet", "--stdin-filename=copy.py", "-"]
        text = subprocess.run(ruff, input=text, capture_output=True, text=True, check=True).stdout
    return text

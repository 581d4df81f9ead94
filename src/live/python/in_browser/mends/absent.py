"""Parts of Keras that no page runs are left out: other people's models, data sets, images, export.

`import keras` imports them too, so each of their names is there, and says why not when it is used.
"""

import importlib.abc
import importlib.machinery
import sys
import types
from pathlib import Path

MODULES = tuple((Path(__file__).parents[1] / "absent.txt").read_text().split())


class Absent(types.ModuleType):
    __path__: list[str] = []

    def __getattr__(self, name: str):
        if name.startswith("__"):
            raise AttributeError(name)
        return _placeholder(f"{self.__name__}.{name}")


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if name.startswith(MODULES):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        return Absent(spec.name)

    def exec_module(self, module):
        pass


def mend() -> None:
    sys.meta_path.insert(0, Finder())


class Placeholder(type):
    def __getattr__(cls, name: str):
        if name.startswith("__"):
            raise AttributeError(name)
        return _placeholder(f"{cls.__module__}.{name}")


def _placeholder(name: str) -> type:
    def __init__(self, *args, **kwargs):
        raise NotImplementedError(f"{name} is left out in the browser: run this on your machine")

    return Placeholder(name.rpartition(".")[2], (), {"__init__": __init__, "__module__": name})

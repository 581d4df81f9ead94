"""Stands in for h5py, which is compiled code: Keras keeps the weights in a .keras file with it.

Groups, arrays and attributes are what Keras uses. They are kept in numpy's own format, not in HDF5:
a file that a page writes is one that the page reads again, and `repair` copies models in this way.
"""

import io
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np


class SoftLink:
    """A link to another place: there are none."""


class ExternalLink:
    """A link into another file: there are none."""


class Dataset(np.ndarray):
    """An array with attributes."""

    external, is_virtual = None, False

    def __array_finalize__(self, other):
        self.attrs = dict(getattr(other, "attrs", {}))

    @property
    def id(self):
        return SimpleNamespace(get_storage_size=lambda: self.nbytes)


class Group:
    """Groups and arrays by their names; a path of names leads through the groups inside."""

    def __init__(self):
        self.attrs: dict = {}
        self._inside: dict[str, Group | Dataset] = {}

    def create_group(self, path: str) -> "Group":
        group = self
        for name in path.split("/"):
            group = group._inside.setdefault(name, Group())
        return group

    def create_dataset(self, path: str, data) -> Dataset:
        parent, _, name = path.rpartition("/")
        group = self.create_group(parent) if parent else self
        group._inside[name] = np.array(data).view(Dataset)
        return group._inside[name]

    def get(self, name: str, default=None, getclass: bool = False, getlink: bool = False):
        """What has this name; with `getclass` its class, which is never that of a link."""
        if name not in self:
            return default
        return type(self[name]) if getclass else self[name]

    def keys(self):
        return self._inside.keys()

    def items(self):
        return self._inside.items()

    def __getitem__(self, path: str):
        found = self
        for name in path.split("/"):
            found = found._inside[name]
        return found

    def __setitem__(self, path: str, data) -> None:
        self.create_dataset(path, data)

    def __delitem__(self, name: str) -> None:
        del self._inside[name]

    def __contains__(self, path: str) -> bool:
        try:
            self[path]
        except (KeyError, AttributeError):
            return False
        return True

    def __iter__(self):
        return iter(self._inside)

    def __len__(self) -> int:
        return len(self._inside)


class File(Group):
    """The outermost group, in a file or a path to one; written when it is closed."""

    def __init__(self, file, mode: str = "r"):
        super().__init__()
        self.filename = str(file)
        self._file, self._mode, self._open = file, mode, True
        if mode == "r" or (mode == "a" and Path(file).exists()):
            self._read()

    def close(self) -> None:
        if self._open and self._mode != "r":
            self._write()
        self._open = False

    def _read(self) -> None:
        data = self._file.read() if hasattr(self._file, "read") else Path(self._file).read_bytes()
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            groups = json.loads(str(arrays["groups"]))
            for path, attrs in groups.items():
                group = self.create_group(path) if path else self
                group.attrs.update(attrs)
            for path, attrs in json.loads(str(arrays["datasets"])).items():
                self.create_dataset(path, arrays[f"data/{path}"]).attrs.update(attrs)

    def _write(self) -> None:
        groups, arrays = {}, {}

        def collect(group, path):
            groups[path] = group.attrs
            for name, inside in group.items():
                inner = f"{path}/{name}" if path else name
                if isinstance(inside, Group):
                    collect(inside, inner)
                else:
                    arrays[inner] = inside

        collect(self, "")
        out = io.BytesIO()
        np.savez(
            out,
            groups=np.array(json.dumps(groups)),
            datasets=np.array(json.dumps({path: x.attrs for path, x in arrays.items()})),
            **{f"data/{path}": np.asarray(x) for path, x in arrays.items()},
        )
        if hasattr(self._file, "write"):
            self._file.write(out.getvalue())
        else:
            Path(self._file).write_bytes(out.getvalue())

    def __bool__(self) -> bool:
        return self._open

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

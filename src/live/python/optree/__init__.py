"""Stands in for optree, which is compiled code: the part that `keras.tree` calls, in Python.

Trees are lists, tuples, named tuples, deques, dicts of the standard library and the classes that
Keras registers; everything else is a leaf, None where `none_is_leaf` says so. As in optree the
leaves of a dict come in the order of its keys, sorted, and a dict that is built keeps its own.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

_DICTS = (dict, OrderedDict, defaultdict)
_registered: dict[type, tuple[Callable, Callable]] = {}


@dataclass(frozen=True)
class PyTreeSpec:
    """A tree without its leaves. `build` makes it from what `children` were made to."""

    kind: Any = None  # of a leaf
    about: Any = None
    entries: tuple = ()
    children: tuple[PyTreeSpec, ...] = ()
    build: Callable[[list], Any] | None = None

    @property
    def num_nodes(self) -> int:
        return 1 + sum(child.num_nodes for child in self.children)

    @property
    def num_leaves(self) -> int:
        return sum(child.num_leaves for child in self.children) if self.build else 1


_LEAF = PyTreeSpec()


def register_pytree_node(cls, flatten_func, unflatten_func, *, namespace):
    if cls in _registered:
        raise ValueError(f"{cls} is registered already")
    _registered[cls] = flatten_func, unflatten_func
    return cls


def register_pytree_node_class(cls, *, namespace):
    return register_pytree_node(
        cls, lambda x: x.tree_flatten(), cls.tree_unflatten, namespace=namespace
    )


def tree_is_leaf(tree, is_leaf=None, *, none_is_leaf=False, namespace=""):
    if is_leaf is not None and is_leaf(tree):
        return True
    return _opened(tree, none_is_leaf, namespace) is None


def tree_flatten_with_path(tree, is_leaf=None, *, none_is_leaf=False, namespace=""):
    paths, leaves = [], []

    def flatten(x, path):
        opened = None
        if is_leaf is None or not is_leaf(x):
            opened = _opened(x, none_is_leaf, namespace)
        if opened is None:
            paths.append(path)
            leaves.append(x)
            return _LEAF
        kind, about, entries, inside, build = opened
        pairs = zip(inside, entries, strict=True)
        children = tuple(flatten(child, (*path, entry)) for child, entry in pairs)
        return PyTreeSpec(kind, about, tuple(entries), children, build)

    spec = flatten(tree, ())
    return paths, leaves, spec


def tree_flatten(tree, is_leaf=None, *, none_is_leaf=False, namespace=""):
    options = {"none_is_leaf": none_is_leaf, "namespace": namespace}
    return tree_flatten_with_path(tree, is_leaf, **options)[1:]


def tree_paths(tree, is_leaf=None, *, none_is_leaf=False, namespace=""):
    options = {"none_is_leaf": none_is_leaf, "namespace": namespace}
    return tree_flatten_with_path(tree, is_leaf, **options)[0]


def tree_unflatten(treespec: PyTreeSpec, leaves):
    leaves = list(leaves)
    if len(leaves) != treespec.num_leaves:
        few = "few" if len(leaves) < treespec.num_leaves else "many"
        raise ValueError(f"Too {few} leaves for PyTreeSpec; expected: {treespec.num_leaves}.")
    rest = iter(leaves)

    def unflatten(spec):
        return spec.build([unflatten(x) for x in spec.children]) if spec.build else next(rest)

    return unflatten(treespec)


def tree_map(func, tree, *rests, is_leaf=None, none_is_leaf=False, namespace=""):
    options = {"none_is_leaf": none_is_leaf, "namespace": namespace}
    leaves, spec = tree_flatten(tree, is_leaf, **options)
    others = [_leaves_at(spec, rest, **options) for rest in rests]
    return tree_unflatten(spec, map(func, leaves, *others))


def _leaves_at(spec: PyTreeSpec, tree, none_is_leaf, namespace) -> list:
    """What `tree` holds at each leaf of `spec`."""
    if spec.build is None:
        return [tree]
    opened = _opened(tree, none_is_leaf, namespace)
    if opened is None:
        raise ValueError(f"Expected a node of type {spec.kind}, got a leaf: {tree!r}.")
    kind, about, entries, inside, _ = opened
    if kind is not spec.kind and not (kind in _DICTS and spec.kind in _DICTS):
        raise ValueError(f"Node type mismatch: expected {spec.kind}, got {kind}.")
    if kind in _DICTS:
        if set(entries) != set(spec.entries):
            raise ValueError(f"Dictionary key mismatch: {spec.entries} and {entries}.")
        inside = [tree[entry] for entry in spec.entries]
    elif len(inside) != len(spec.children):
        counts = f"expected {len(spec.children)}, got {len(inside)}"
        raise ValueError(f"Node arity mismatch: {counts}.")
    elif about != spec.about:
        raise ValueError(f"Mismatch custom node data: {spec.about} and {about}.")
    return [
        leaf
        for child, x in zip(spec.children, inside, strict=True)
        for leaf in _leaves_at(child, x, none_is_leaf, namespace)
    ]


def _opened(x, none_is_leaf, namespace):
    """The kind of a node, what else to compare, its entries, its children and how to build it.

    None for a leaf.
    """
    kind = type(x)
    if x is None:
        return None if none_is_leaf else (kind, None, (), (), lambda _: None)
    if namespace and kind in _registered:
        flatten, unflatten = _registered[kind]
        inside, about, *entries = flatten(x)
        inside = list(inside)
        named = entries[0] if entries and entries[0] is not None else range(len(inside))
        return kind, about, tuple(named), inside, lambda new: unflatten(about, new)
    if kind in _DICTS:
        keys = tuple(x) if kind is OrderedDict else _sorted(x)
        return kind, None, keys, [x[key] for key in keys], _dict_like(x, keys)
    if kind in (list, tuple):
        return kind, None, range(len(x)), x, kind
    if kind is deque:
        return kind, None, range(len(x)), x, lambda new: deque(new, maxlen=x.maxlen)
    if isinstance(x, tuple) and isinstance(getattr(kind, "_fields", None), tuple):
        return kind, None, range(len(x)), x, lambda new: kind(*new)
    return None


def _dict_like(x: dict, keys: Sequence) -> Callable[[list], dict]:
    kind, order = type(x), tuple(x)

    def build(new):
        by_key = dict(zip(keys, new, strict=True))
        pairs = [(key, by_key[key]) for key in order]
        return kind(x.default_factory, pairs) if kind is defaultdict else kind(pairs)

    return build


def _sorted(keys) -> tuple:
    try:
        return tuple(sorted(keys))
    except TypeError:  # keys of several types
        pass
    try:
        return tuple(sorted(keys, key=lambda x: (type(x).__module__, type(x).__qualname__, x)))
    except TypeError:
        return tuple(keys)

"""What stands in for a package gives what the package gives."""

import importlib.util
import itertools
import sys
from collections import OrderedDict, defaultdict, deque, namedtuple

import numpy as np
import pytest

from live import HERE


def stand_in(path: str):
    spec = importlib.util.spec_from_file_location(f"stand_in/{path}", HERE / "python" / path)
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


Point = namedtuple("Point", "x y")


class Box:
    def __init__(self, inside):
        self.inside = inside

    def tree_flatten(self):
        return self.inside, "about"

    @classmethod
    def tree_unflatten(cls, about, inside):
        return cls(list(inside))

    def __eq__(self, other):
        return type(other) is Box and self.inside == other.inside


TREES = [
    7,
    None,
    [1, (2, None), {"b": 3, "a": [4]}],
    {3: 1, "x": 2, 1: 3},
    Point(1, Point([2], 3)),
    OrderedDict(b=1, a=2),
    defaultdict(list, b=[1], a=[2]),
    deque([1, [2]], maxlen=3),
    Box([1, Box([2])]),
    [],
]


@pytest.fixture(scope="module")
def trees():
    optree = pytest.importorskip("optree")
    ours = stand_in("optree/__init__.py")
    for module in (optree, ours):
        module.register_pytree_node_class(Box, namespace="test")
    return optree, ours


@pytest.mark.parametrize("tree", TREES, ids=repr)
@pytest.mark.parametrize("none_is_leaf", [True, False])
def test_optree_takes_trees_apart_and_builds_them(trees, tree, none_is_leaf):
    options = {"none_is_leaf": none_is_leaf, "namespace": "test"}
    theirs, ours = (module.tree_flatten_with_path(tree, **options) for module in trees)
    assert [*map(tuple, ours[0])] == [*map(tuple, theirs[0])]
    assert ours[1] == theirs[1]
    assert (ours[2].num_leaves, ours[2].num_nodes) == (theirs[2].num_leaves, theirs[2].num_nodes)
    built = [
        module.tree_unflatten(spec, range(spec.num_leaves))
        for module, spec in zip(trees, (theirs[2], ours[2]), strict=True)
    ]
    assert built[0] == built[1] and type(built[0]) is type(built[1])
    if isinstance(built[0], dict):
        assert list(built[0]) == list(built[1])
    for module in trees:
        assert module.tree_is_leaf(tree, **options) == (tree == 7 or tree is None and none_is_leaf)
    theirs, ours = (module.tree_map(lambda x: (x, x), tree, **options) for module in trees)
    assert ours == theirs


def test_optree_maps_two_trees_or_refuses_them(trees):
    def mapped(module, one, other):
        try:
            return module.tree_map(lambda *x: x, one, other, none_is_leaf=True, namespace="test")
        except ValueError:
            return "refused"

    for one, other in itertools.permutations(TREES, 2):
        theirs, ours = (mapped(module, one, other) for module in trees)
        assert ours == theirs, (one, other)


def test_optree_stops_where_it_is_told(trees):
    tree = [(1, 2), {"a": (3, 4)}]
    for module in trees:
        assert module.tree_map(sum, tree, is_leaf=lambda x: type(x) is tuple) == [3, {"a": 7}]


@pytest.mark.parametrize("name", ["logsumexp", "erf", "erfc"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_scipy_special(name, dtype):
    scipy = pytest.importorskip("scipy.special")
    x = np.array([[-np.inf, 0.5, 90.0], [-3.0, -1e-3, 2.0], [-np.inf] * 3], dtype=dtype)
    options = {"axis": 1, "keepdims": True} if name == "logsumexp" else {}
    theirs = getattr(scipy, name)(x, **options)
    ours = getattr(stand_in("scipy/special.py"), name)(x, **options)
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=1e-6 if dtype == "float32" else 1e-13)


def numbers(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def specs(lax, space, first):
    axes = (0, 1, *range(2, 2 + space)) if first else (0, space + 1, *range(1, space + 1))
    kernel = (space + 1, space, *range(space))
    return lax.ConvDimensionNumbers(axes, kernel, axes)


@pytest.mark.parametrize(
    ("x", "kernel", "stride", "padding", "dilation", "groups", "first"),
    [
        ((2, 7, 3), (3, 3, 4), 1, "SAME", 1, 1, False),
        ((2, 7, 3), (3, 3, 4), 2, "SAME", 1, 1, False),
        ((2, 7, 3), (2, 3, 4), 3, "VALID", 2, 1, False),
        ((2, 4, 7), (3, 2, 6), 1, "VALID", 1, 2, True),
        ((2, 7, 4), (3, 1, 8), 1, "SAME", 2, 4, False),
        ((2, 5, 6, 3), (3, 2, 3, 4), 2, "SAME", 1, 1, False),
        ((2, 2, 3), (3, 3, 4), 1, "VALID", 1, 1, False),
        ((2, 5, 3), (3, 3, 4), 1, [(2, -1)], 1, 1, False),
    ],
)
def test_jax_convolves(x, kernel, stride, padding, dilation, groups, first):
    lax = pytest.importorskip("jax.lax")
    ours = stand_in("jax/lax.py")
    space = len(kernel) - 2

    def convolved(module):
        return module.conv_general_dilated(
            numbers(*x),
            numbers(*kernel),
            (stride,) * space,
            padding,
            rhs_dilation=(dilation,) * space,
            dimension_numbers=specs(module, space, first),
            feature_group_count=groups,
        )

    np.testing.assert_allclose(convolved(ours), convolved(lax), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("stride", "padding", "dilation"), [(1, [(1, 1)], 1), (2, [(2, 1)], 1), (2, [(3, 3)], 2)]
)
def test_jax_convolves_backwards(stride, padding, dilation):
    lax = pytest.importorskip("jax.lax")

    def convolved(module):
        return module.conv_transpose(
            numbers(2, 5, 3),
            numbers(3, 4, 3),
            (stride,),
            padding=padding,
            rhs_dilation=(dilation,),
            dimension_numbers=specs(module, 1, False),
            transpose_kernel=True,
        )

    ours = stand_in("jax/lax.py")
    np.testing.assert_allclose(convolved(ours), convolved(lax), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("padding", ["VALID", "SAME"])
@pytest.mark.parametrize(("first", "name"), [(-np.inf, "max"), (0.0, "add")])
@pytest.mark.parametrize(("size", "stride"), [(2, 2), (3, 2), (9, 1)])
def test_jax_reduces_windows(padding, first, name, size, stride):
    lax = pytest.importorskip("jax.lax")

    def reduced(module):
        return module.reduce_window(
            numbers(2, 7, 3), first, getattr(module, name), (1, size, 1), (1, stride, 1), padding
        )

    ours = stand_in("jax/lax.py")
    np.testing.assert_allclose(reduced(ours), reduced(lax), rtol=1e-5)


def test_jax_backend_of_keras_transforms():
    ours = stand_in("keras/src/backend/jax/math.py")
    x, y = numbers(3, 4), numbers(3, 4)
    for function, transform in ((ours.fft, np.fft.fft), (ours.fft2, np.fft.fft2)):
        real, imaginary = function((x, y))
        np.testing.assert_allclose(real + 1j * imaginary, transform(x + 1j * y))


def test_h5py_keeps_groups_arrays_and_attributes(tmp_path):
    h5py = stand_in("h5py.py")
    path = tmp_path / "weights.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group("layers/dense").create_group("vars")
        group["0"] = numbers(2, 3)
        group.create_dataset("1", data=np.float16(2)).attrs["dtype"] = "bfloat16"
        group.attrs["name"] = "dense"
        assert file
    assert not file
    with h5py.File(path) as file:
        group = file["layers/dense/vars"]
        assert (
            list(group) == ["0", "1"] and len(group) == 2 and dict(group.attrs) == {"name": "dense"}
        )
        np.testing.assert_array_equal(group["0"], numbers(2, 3))
        assert group["1"].attrs == {"dtype": "bfloat16"} and group["1"].dtype == "float16"
        assert "layers/dense/vars/0" in file and "layers/lstm" not in file
        assert file.get("no", default=3) == 3
        assert file.get("layers", getclass=True, getlink=True) is h5py.Group

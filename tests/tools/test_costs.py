"""The record of what the layers cost, and the reasons that stand beside it."""

import pytest

import keras_masking
from sitekit.measured import costs


def test_every_layer_is_measured_in_every_mode():
    record = costs.record()
    measured = [record[mode] for mode in (*costs.MODES, "memory")]
    assert all(list(layers) == list(measured[0]) for layers in measured)
    names = {layer.partition(",")[0] for layer in measured[0]}
    assert names == set(keras_masking.layers.__all__)


def test_what_is_above_its_goal_has_a_reason():
    assert list(costs.unexplained(costs.record())) == []


def test_a_ratio_without_a_reason_is_named(monkeypatch):
    monkeypatch.setattr(costs, "WHY", {"MaskedMax": ("selection",)})
    ratios = {"MaskedMax": 2, "MaskedMin": 1.3, "MaskedConv1D, strides=2": 1.2, "MaskedSum": 1.2}
    measured = {"graph": ratios, "XLA": {}, "jit": {"MaskedMin": 1}}
    assert list(costs.unexplained(measured)) == [
        ("MaskedMin", "graph"),
        ("MaskedConv1D, strides=2", "graph"),
    ]


def test_a_cost_without_a_reason_says_what_to_do(monkeypatch):
    monkeypatch.setattr(costs, "WHY", {})
    measured = {"graph": {"MaskedMax": 2}, "XLA": {"MaskedMax": 1.5}, "jit": {"MaskedMax": 1}}
    said = r"MaskedMax takes 2.00 times as long in graph, 1.50 .* in XLA, .* 1.25. Say why in WHY"
    with pytest.raises(costs.CostError, match=said):
        costs.why("MaskedMax", measured)


@pytest.mark.parametrize(
    ("layer", "goal"),
    [("MaskedMax", 1.25), ("MaskedConv1D", 1.1), ("MaskedConv1D, strides=2", 1.1)],
)
def test_goals(layer, goal):
    assert costs.goal(layer) == goal

"""Each known fault is named where it is, and its healthy twin is not accused."""

import keras
import pytest
from reports import CASES, HERE, report

from keras_masking import Call, Trace
from sitekit.measured.faults.fault import Gap
from sitekit.measured.faults.known import FAULTS

# JAX compiles each anew and is given every sixth
SHARE = HERE[:: 6 if keras.backend.backend() == "jax" else 1]
each_case = pytest.mark.parametrize("fault", [CASES[name] for name in SHARE], ids=SHARE)


def place(trace: Trace, call: int | None) -> str | Gap | None:
    if call is None:
        return None
    found = trace.calls[call]
    return (found.before, found.after) if found.kind == "gap" else found.path


def first_loss(trace: Trace) -> Call | None:
    lost = next(iter(trace.losses), None)
    return lost if lost is None or lost.cause is None else trace.calls[lost.cause]


@each_case
def test_the_trace_shows_where_the_mask_is_lost(fault):
    trace = report(fault).trace
    lost = first_loss(trace)
    if lost is not None or fault.lost_at is None:
        assert place(trace, lost and lost.index) == fault.lost_at
    else:  # it goes on, and marks padding as valid
        assert {"changes", "merges"} & set(trace[fault.lost_at].events)


@each_case
def test_the_first_leak_is_named(fault):
    found = report(fault)
    assert not found.ok
    assert place(found.trace, found.leaks[0].call) == fault.leaks_at
    assert place(found.trace, found.leaks[0].lost_at) == fault.lost_at


@each_case
def test_the_probes_see_it(fault):
    found = report(fault)
    seen = {x.probe for x in found.leaks if place(found.trace, x.call) == fault.leaks_at}
    assert set(fault.probes) <= seen


@each_case
def test_the_healthy_twin_is_not_accused(fault):
    found = report(fault, healthy=True)
    assert found.ok and found.random is None, str(found)
    assert {probe.name for probe in found.probes if probe.ran} >= set(fault.probes)


def test_there_are_enough_and_no_name_stands_twice():
    assert len(CASES) == sum(map(len, FAULTS.values())) >= 25

"""What `find_leaks` says of each known fault."""

import warnings
from typing import NamedTuple

from keras_masking import find_leaks
from sitekit.measured.faults.fault import Fault
from sitekit.measured.faults.known import FAULTS


class Found(NamedTuple):
    """What `find_leaks` reports first of a fault, by the names of calls in the trace.

    Attributes:
        lost: the call that lost the mask, the two around the place, or None where it arrives.
        leaks: the call that padding gets into, and the probes that see it there.
        twin: whether the healthy twin is free of leaks.
    """

    lost: tuple[str, ...] | None
    leaks: str
    probes: tuple[str, ...]
    twin: bool


def measure() -> dict[str, dict[str, Found]]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*does not support masking.*")
        return {
            group: {fault.name: found(fault) for fault in faults}
            for group, faults in FAULTS.items()
        }


def found(fault: Fault) -> Found:
    report = find_leaks(fault.build(), fault.inputs, fault.mask)
    twin = find_leaks(fault.build(healthy=True), fault.inputs, fault.mask)
    calls, first = report.trace.calls, report.leaks[0]
    lost = None if first.lost_at is None else calls[first.lost_at]
    if lost is not None:
        lost = (lost.before, lost.after) if lost.kind == "gap" else (lost.path,)
    probes = tuple(leak.probe for leak in report.leaks if leak.call == first.call)
    return Found(lost, calls[first.call].path, probes, twin.ok)

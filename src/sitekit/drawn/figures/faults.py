"""Figures of faults.md."""

from keras_masking import find_leaks
from keras_masking.rendering.grid import Note
from sitekit.drawn.parts import steps, written
from sitekit.measured.faults.known import FAULTS


def fault_and_twin(word):
    fault = next(x for x in FAULTS["operations"] if x.name == "operator")
    lines = []
    for healthy in (False, True):
        report = find_leaks(fault.build(healthy), fault.inputs)
        (_, (_, made)), (_, behind_it), _ = steps(report.trace, word, Multiply="x * 2")
        note = Note(word("free" if report.ok else "leaks"))
        lines.append([made, *behind_it, note])
    return lines, {"mask": written(report.trace.calls[0].mask)}

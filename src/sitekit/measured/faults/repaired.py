"""What `repair` makes of each known fault, recorded: to measure it takes a minute.

`python -m sitekit.measured.faults.repaired` writes the record.
"""

import json
import warnings

from keras_masking import repair
from keras_masking.rendering.files import write
from sitekit import ROOT
from sitekit.measured.faults.fault import Fault
from sitekit.measured.faults.known import FAULTS

RECORD = ROOT / "docs/shared/repairs.json"


def repaired(fault: Fault) -> list[str]:
    """What stands in the model after the repair, for each change; empty without a repair."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*does not support masking.*")
        done = repair(fault.build(), fault.inputs, fault.mask)
    return [change.after for change in done.changes] if done.ok else []


def record() -> dict[str, list[str]]:
    """By the name of the fault."""
    return json.loads(RECORD.read_text(encoding="utf-8"))


def main() -> None:
    found = {fault.name: repaired(fault) for faults in FAULTS.values() for fault in faults}
    write(RECORD, json.dumps(found, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()

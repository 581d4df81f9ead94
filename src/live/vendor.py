"""Fetch the wheel in vendor/ again, from the release of Pyodide that it belongs to.

python -m live.vendor
"""

import tarfile
from urllib.request import urlopen

from live import HERE
from live.parts import PARTS, check, sha256

RELEASE = "https://github.com/pyodide/pyodide/releases/download/{0}/pyodide-{0}.tar.bz2"


def fetch(address: str) -> None:
    """Write the wheel out of the archive at `address`.

    Raises:
        KeyError: the archive has no such wheel.
        WrongPart: the wheel is not what its hash says.
    """
    pin = PARTS["numpy"]
    with urlopen(address) as answer, tarfile.open(fileobj=answer, mode="r|bz2") as archive:
        for member in archive:
            if member.name.endswith(f"/{pin['file']}"):
                data = archive.extractfile(member).read()
                check(pin["file"], sha256(data), pin["sha256"])
                (HERE / "vendor" / pin["file"]).write_bytes(data)
                return
    raise KeyError(f"{address} has no {pin['file']}")


if __name__ == "__main__":
    fetch(RELEASE.format(PARTS["pyodide"]["version"]))

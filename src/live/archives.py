"""Archives whose bytes depend on nothing but the files in them."""

import gzip
import io
import os
import tarfile
import zipfile
from collections.abc import Callable

from live import CACHE
from live.parts import Files, sha256


def tar(files: Files) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path, data in sorted(files.items()):
            member = tarfile.TarInfo(path)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


def read(data: bytes) -> Files:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}


def stored(files: Files) -> bytes:
    """A zip without compression, which Python imports from fastest."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for path, data in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(path), data)
    return out.getvalue()


def packed(data: bytes) -> bytes:
    return made_once("packed", data, lambda: gzip.compress(data, 9, mtime=0))


def made_once(what: str, made_of: bytes, make: Callable[[], bytes]) -> bytes:
    """What `make` makes of this, kept for the next time."""
    kept = CACHE / what / sha256(made_of)
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        # another build may read it meanwhile
        part = kept.with_suffix(f".{os.getpid()}")
        part.write_bytes(make())
        part.rename(kept)
    return kept.read_bytes()

"""What the runtime is made of, each part pinned and checked against its hash."""

import base64
import hashlib
import io
import json
import re
import shutil
import subprocess
import tarfile
import tomllib
import zipfile
from importlib.metadata import distribution

from live import CACHE, HERE, ROOT

Files = dict[str, bytes]  # by the path in the archive that holds them
PARTS = tomllib.loads((HERE / "parts.toml").read_text(encoding="utf-8"))
ABSENT = (HERE / "python/in_browser/absent.txt").read_text(encoding="utf-8").split()


class Missing(RuntimeError):
    """Something that the build needs is not on this machine."""


class WrongPart(RuntimeError):
    """A part is not what parts.toml, or the package that it belongs to, says."""


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def pyodide() -> Files:
    """The files of Pyodide's package on npm, fetched once."""
    pin = PARTS["pyodide"]
    archive = CACHE / f"pyodide-{pin['version']}.tgz"
    if not archive.exists():
        _fetch(f"pyodide@{pin['version']}")
    data = archive.read_bytes()
    check(archive.name, sha256(data), pin["sha256"])
    with tarfile.open(fileobj=io.BytesIO(data)) as members:
        return {
            member.name.removeprefix("package/"): members.extractfile(member).read()
            for member in members
            if member.isfile()
        }


def _fetch(package: str) -> None:
    need("npm")
    CACHE.mkdir(parents=True, exist_ok=True)
    fetched = subprocess.run(
        ["npm", "pack", "--silent", package], cwd=CACHE, capture_output=True, text=True
    )
    if fetched.returncode:
        raise Missing(f"npm did not fetch {package}. {fetched.stderr.strip()}")


def numpy(lock: bytes) -> Files:
    """The wheel kept here, which `lock`, Pyodide's list of packages, must name too."""
    pin = PARTS["numpy"]
    data = (HERE / "vendor" / pin["file"]).read_bytes()
    named = json.loads(lock)["packages"]["numpy"]
    check(pin["file"], sha256(data), pin["sha256"])
    check(f"{named['file_name']} in pyodide-lock.json", named["sha256"], pin["sha256"])
    return kept(unzipped(data), "numpy")


def python(archive: bytes) -> Files:
    """The standard library, from Pyodide's archive of it."""
    return kept(unzipped(archive), "python")


def installed(name: str) -> Files:
    """A package as it is installed beside this one from the lock with hashes, unchanged since."""
    files = {}
    for file in distribution(name).files or ():
        path = file.as_posix()
        if file.hash is None or path.startswith(".."):
            continue
        data = file.locate().read_bytes()
        digest = base64.urlsafe_b64encode(hashlib.new(file.hash.mode, data).digest())
        check(path, digest.decode().rstrip("="), file.hash.value)
        files[path] = data
    return kept(files, name)


def ours() -> Files:
    """`keras_masking` of this tree."""
    return _folder(ROOT / "src", "keras_masking")


def stand_ins() -> Files:
    """What is imported in place of other packages, and what runs a reader's code."""
    return _folder(HERE / "python", "")


def need(program: str) -> None:
    if not shutil.which(program):
        raise Missing(f"that needs {program}, which is not installed.")


def kept(files: Files, name: str) -> Files:
    absent = [rf"^{module.replace('.', '/')}(/|\.py$)" for module in ABSENT]
    left_out = re.compile("|".join([*PARTS[name]["left_out"], *absent]))
    return {path: data for path, data in files.items() if not left_out.search(path)}


def _folder(root, under: str) -> Files:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted((root / under).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def unzipped(data: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {x.filename: archive.read(x) for x in archive.infolist() if not x.is_dir()}


def check(what: str, got: str, expected: str) -> None:
    if got != expected:
        raise WrongPart(f"{what} has the hash {got}, expected {expected}: fetch it again")

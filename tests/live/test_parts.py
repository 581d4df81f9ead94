"""The runtime is made of what it says, and always the same."""

import bz2
import gzip
import json

import pytest

from live import HERE, archives, build, parts, vendor
from live.build import SITE_PACKAGES
from live.compiled import compile_now
from live.parts import PARTS, WrongPart


def test_a_part_that_is_not_what_its_hash_says_is_refused(tmp_path, monkeypatch):
    wheel = PARTS["numpy"]["file"]
    lock = {"packages": {"numpy": {"file_name": wheel, "sha256": "0" * 64}}}
    with pytest.raises(WrongPart, match="pyodide-lock.json has the hash 0000"):
        parts.numpy(json.dumps(lock).encode())
    (tmp_path / f"pyodide-{PARTS['pyodide']['version']}.tgz").write_bytes(b"another")
    monkeypatch.setattr(parts, "CACHE", tmp_path)
    with pytest.raises(WrongPart, match="pyodide-.*.tgz has the hash"):
        parts.pyodide()


def test_a_package_that_was_changed_after_its_installation_is_refused(monkeypatch, tmp_path):
    class File:
        hash = type("Hash", (), {"mode": "sha256", "value": "0"})

        def as_posix(self):
            return "keras/changed.py"

        def locate(self):
            path = tmp_path / "changed.py"
            path.write_text("x")
            return path

    changed = type("Distribution", (), {"files": [File()]})
    monkeypatch.setattr(parts, "distribution", lambda name: changed)
    with pytest.raises(WrongPart, match="keras/changed.py has the hash"):
        parts.installed("keras")


def test_archives_have_the_same_bytes_whatever_the_order():
    one, other = {"a": b"1", "b/c": b"2"}, {"b/c": b"2", "a": b"1"}
    assert archives.tar(one) == archives.tar(other)
    assert archives.stored(one) == archives.stored(other)
    assert archives.read(archives.tar(one)) == one


def test_the_same_modules_become_the_same_bytecode(folder):
    """In another process, and when they are compiled alone."""
    pyodide = parts.pyodide()
    built = archives.read(gzip.decompress((folder / "keras_masking.bin").read_bytes()))
    modules = {path: data for path, data in parts.ours().items() if "/rendering/" in path}
    made = compile_now(
        {x: modules[x] for x in modules if x.endswith(".py")}, SITE_PACKAGES, pyodide
    )
    assert made == {path: built[path] for path in made}
    assert len(made) > 10


def test_the_manifest_lists_each_file(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    listed = {file["name"]: file for file in manifest["files"]}
    assert {*listed, "manifest.json"} == build.made().keys()
    for name, file in listed.items():
        data = (folder / name).read_bytes()
        assert (file["bytes"], file["sha256"]) == (len(data), parts.sha256(data))


def test_it_is_small():
    """Less than 9 MB come over the wire; scripts travel gzipped."""
    sizes = {
        name: len(data if name.endswith(".bin") else gzip.compress(data))
        for name, data in build.made().items()
    }
    assert sum(sizes.values()) < 9_000_000, sizes


def test_without_node_the_site_is_built_without_it(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(parts, "CACHE", tmp_path / "cache")
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CI", raising=False)
    assert not build.build(tmp_path / "out")
    assert not (tmp_path / "out").exists()
    said = capsys.readouterr().out
    assert said == "No block will run in the page: that needs npm, which is not installed.\n"
    monkeypatch.setenv("CI", "true")
    with pytest.raises(SystemExit, match="that needs npm"):
        build.build(tmp_path / "out")


def test_the_vendored_wheel_is_fetched_from_a_release(tmp_path, monkeypatch):
    wheel = PARTS["numpy"]["file"]
    data = (vendor.HERE / "vendor" / wheel).read_bytes()
    (tmp_path / "vendor").mkdir()
    monkeypatch.setattr(vendor, "HERE", tmp_path)
    for name, content in ((wheel, data), ("other.whl", b""), (wheel, b"changed")):
        (tmp_path / "release").write_bytes(bz2.compress(archives.tar({f"pyodide/{name}": content})))
        address = (tmp_path / "release").as_uri()
        if content == data:
            vendor.fetch(address)
        else:
            with pytest.raises((KeyError, WrongPart), match=wheel):
                vendor.fetch(address)
    assert (tmp_path / "vendor" / wheel).read_bytes() == data


def test_the_list_of_packages_is_of_this_pyodide():
    info = json.loads(parts.pyodide()["pyodide-lock.json"])["info"]
    told = (HERE / "boot.mjs").read_text(encoding="utf-8")
    assert [value for value in info.values() if f'"{value}"' not in told] == []

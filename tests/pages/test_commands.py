"""What `make test`, CI and the workflows run, read from their files: nothing is dropped unseen."""

import re
import subprocess
import tomllib
from itertools import chain

import pytest
import yaml
from packaging.requirements import Requirement

from sitekit import ROOT

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
# what a job may do, where that is not to read the repository
PERMISSIONS = {
    ("pages.yml", "build"): {"contents": "read", "pages": "read"},
    ("pages.yml", "deploy"): {"pages": "write", "id-token": "write"},
    ("release.yml", "publish"): {"contents": "read", "id-token": "write"},
}
each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)


def would_run(target: str) -> str:
    command = ["make", "--dry-run", "--no-print-directory", "--always-make", target]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def load(path) -> dict:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def steps(workflow: dict):
    for job in workflow["jobs"].values():
        yield from job["steps"]


def test_make_test_runs_every_folder_of_tests_on_every_backend():
    commands = would_run("test")
    folders = {path.parent.name for path in (ROOT / "tests").glob("*/test_*.py")}
    for folder in folders:
        for backend in ("tensorflow", "jax", "numpy"):
            on = rf"KERAS_BACKEND={backend} .*" if folder in ("layers", "tools", "fuzz") else ""
            assert re.search(rf"{on}pytest.* tests/{folder}\b", commands), (folder, backend)
    tools = (
        "ruff check",
        "ruff format",
        "lint-imports",
        "check-jsonschema",
        "zizmor",
        "typos",
        "mypy",
    )
    assert [tool for tool in tools if tool not in commands] == []
    assert re.search(r"pytest .*\bdocs README.md", commands)


def test_ci_runs_make_test_and_stops_at_the_first_failure():
    script = (ROOT / ".ci/run").read_text("utf-8").splitlines()
    assert script[-1] == "make test"
    assert "set -euo pipefail" in script and "export CI=true" in script


def test_ci_runs_on_every_python_that_is_supported():
    (job,) = load(ROOT / ".github/workflows/ci.yml")["jobs"].values()
    versions = job["strategy"]["matrix"]["python"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    first = project["requires-python"].removeprefix(">=")
    makefile = (ROOT / "Makefile").read_text("utf-8")
    low, high = re.search(
        r"\((3, \d+)\) <= sys.version_info\[:2\] <= \((3, \d+)\)", makefile
    ).groups()
    assert versions[0] == first == low.replace(", ", ".")
    assert versions[-1] == high.replace(", ", ".")
    assert versions == sorted(versions) and len(versions) == int(high[3:]) - int(low[3:]) + 1
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]


def test_the_lock_holds_what_the_project_asks_for():
    lines = (ROOT / "requirements.txt").read_text("utf-8")
    locked = dict(re.findall(r"^([\w.-]+)==([^\s;]+)", lines, re.MULTILINE))
    given = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    groups = [given["project"]["dependencies"], *given["dependency-groups"].values()]
    extras = given["project"]["optional-dependencies"]
    del extras["torch"]  # its wheels are large, and have an environment of their own
    groups += [given["build-system"]["requires"], *extras.values()]
    for asked in map(Requirement, (name for name in chain(*groups) if isinstance(name, str))):
        assert locked[asked.name] in asked.specifier, asked
    assert lines.count("--hash=sha256:") > len(locked) and "://" not in lines


@each_workflow
def test_a_workflow_may_do_what_it_must_and_no_more(path):
    workflow = load(path)
    assert workflow["permissions"] == {}
    for name, job in workflow["jobs"].items():
        assert job["permissions"] == PERMISSIONS.get((path.name, name), {"contents": "read"})
        assert job["timeout-minutes"] <= 360


@each_workflow
def test_a_workflow_runs_what_there_is(path):
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for step in steps(load(path)):
        if "uses" in step:
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step["uses"]), step["uses"]
        else:
            assert not re.search(r"(curl|wget)\b.*\|", step["run"])
            for target in re.findall(r"\bmake ([a-z-]+)", step["run"]):
                assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_what_the_readme_and_the_pages_name_is_there():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    readme = (ROOT / "README.md").read_text("utf-8")
    pages = [path.read_text("utf-8") for path in (ROOT / "docs").glob("[ez][nh]/**/*.md")]
    for text in (readme, *pages):
        for target in re.findall(r"(?:`|\$ )make ([a-z-]+)", text):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    port = re.search(r"^PORT \?= (\d+)$", makefile, re.MULTILINE)[1]
    assert f"http://127.0.0.1:{port}/" in readme
    versions = load(ROOT / ".github/workflows/ci.yml")["jobs"].popitem()[1]["strategy"]["matrix"]
    assert ", ".join(versions["python"][:-1]) + f" or {versions['python'][-1]}" in readme
    for place in re.findall(r"^\| `([\w/.]+)`", readme, re.MULTILINE):
        assert (ROOT / place).exists(), place


def test_one_action_has_one_pin():
    pins = {}
    for path in WORKFLOWS:
        for action, pin in re.findall(r"uses: ([\w./-]+)@(.+)", path.read_text("utf-8")):
            assert pins.setdefault(action, pin) == pin, action


def test_the_site_is_published_from_main_after_its_checks():
    workflow = load(ROOT / ".github/workflows/pages.yml")
    # YAML reads `on` as true
    assert workflow[True]["push"]["branches"] == ["main"]
    build = "\n".join(step.get("run", "") for step in workflow["jobs"]["build"]["steps"])
    assert build.index(".ci/run") < build.index("make build")
    assert workflow["jobs"]["deploy"]["needs"] == "build"

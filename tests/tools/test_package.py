"""What the package does before Keras is there, and what it tells of itself."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from types import SimpleNamespace

import keras
import pytest

import keras_masking
from sitekit import ROOT
from sitekit.published.mended import on_page_markdown

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="each backend is told of alike"
)


@pytest.fixture
def without(tmp_path):
    """Run Python where some modules cannot be imported: what it did."""

    def without(missing, *arguments, backend="jax"):
        lines = f"import sys\nsys.modules.update(dict.fromkeys({missing}))"
        (tmp_path / "sitecustomize.py").write_text(lines)
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env=os.environ | {"KERAS_BACKEND": backend, "PYTHONPATH": str(tmp_path)},
            capture_output=True,
            encoding="utf-8",
        )

    return without


@pytest.mark.parametrize(
    "arguments, status, said",
    [
        ("--help", 0, "usage: keras-masking"),
        ("check --help", 0, "usage: keras-masking check"),
        ("--version", 0, "."),
        ("draw model.keras", 2, "invalid choice: 'draw'"),
    ],
)
def test_the_command_line_answers_without_what_takes_long_to_load(without, arguments, status, said):
    done = without(
        ["keras", "numpy", "rich", "tensorflow"], "-m", "keras_masking", *arguments.split()
    )
    assert done.returncode == status and said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "language, backend, needed, said",
    [
        ("en", "jax", "jax", "Install jax, as the extra keras-masking[jax]"),
        ("zh", "jax", "jax", "请安装 jax（附加依赖 keras-masking[jax]"),
        ("en", "numpy", "scipy", "Install scipy, as the extra keras-masking[jax]"),
    ],
)
def test_the_command_line_says_which_backend_to_install(without, language, backend, needed, said):
    arguments = "-m", "keras_masking", "check", "model.keras", "--random", "--lang", language
    done = without([needed], *arguments, backend=backend)
    assert (done.returncode, done.stdout) == (2, "") and said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_an_import_says_which_backend_to_install(without):
    done = without(["jax"], "-c", "import keras_masking")
    last = done.stderr.splitlines()[-1]
    assert done.returncode == 1
    assert "Install jax, as the extra keras-masking[jax] does" in last


def test_arguments_of_another_program_are_left_alone(without, tmp_path):
    (tmp_path / "tool.py").write_text("import sys\nsys.argv.pop()\nimport keras_masking\n")
    done = without(["jax"], "tool.py", "keras_masking")
    assert "usage" not in done.stderr and "Install jax" in done.stderr


def test_a_module_that_is_no_backend_is_missed_as_ever(without):
    done = without(["absl"], "-c", "import keras_masking", backend="numpy")
    assert "absl" in done.stderr.splitlines()[-1] and "Install" not in done.stderr


def make(*arguments) -> subprocess.CompletedProcess:
    """As a user runs it, also where the tests run in a make of their own."""
    ours = "SITE_URL", "REPO_URL", "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "GNUMAKEFLAGS"
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


def test_a_site_for_another_address_is_built_again():
    def built(*settings):
        return make("--eval=built:; @echo $(BUILT)", "built", *settings).stdout

    local = built()
    settings = "SITE_URL=https://example.org", "REPO_URL=https://example.org"
    assert local == built() and len({local, *map(built, settings)}) == 3
    assert "\nbuild: $(BUILT) " in (ROOT / "Makefile").read_text("utf-8")


@pytest.mark.parametrize(
    "python, what", [("false", "PYTHON=false is none of them"), ("", "none was found")]
)
def test_a_python_that_is_not_supported_is_told_in_a_sentence(tmp_path, python, what):
    done = make(f"VENV={tmp_path}/venv", f"PYTHON={python}", "setup")
    sentence, end = done.stderr.splitlines()
    assert what in sentence and sentence.startswith("Python 3.11, 3.12 or 3.13 is needed")
    assert done.returncode == 2 and end.startswith("make: ***")
    assert not (tmp_path / "venv").exists()


def test_every_public_name_is_used_as_typed_code_uses_it():
    tree = ast.parse((ROOT / "tests/tools/typed.py").read_text("utf-8"))
    (imported,) = (x for x in tree.body if getattr(x, "module", None) == "keras_masking")
    used = [x.id for x in ast.walk(tree) if isinstance(x, ast.Name)]
    assert sorted(keras_masking.__all__) == sorted(name.name for name in imported.names)
    assert set(keras_masking.__all__) <= set(used)


@pytest.fixture
def changed(tmp_path):
    """What `.ci/changed` says after a page was rewritten: its status and its words."""

    def git(*arguments):
        name = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
        subprocess.run(["git", *name, *arguments], cwd=tmp_path, check=True, capture_output=True)

    def changed(before, after):
        (tmp_path / "page.md").write_text(before)
        git("init")
        git("add", "page.md")
        git("commit", "-m", "before")
        (tmp_path / "page.md").write_text(after)
        done = subprocess.run([ROOT / ".ci/changed", "page.md"], cwd=tmp_path, capture_output=True)
        return done.returncode, done.stdout.decode("utf-8")

    return changed


@pytest.mark.parametrize(
    "after, said",
    [
        ("small · Keras 3.15.1 · 3 calls\n50%\n", ""),
        ("small · Keras 3.16.0 · 3 calls\n50%\n", ""),
        ("small · Keras 3.16.0.dev20261201 ·\n3  calls\n50%\n", ""),
        ("small · Keras 3.16.0 · 4 calls\n50%\n", "-3\n+4\n"),
        ("small · Keras 3.15.1 · 3 calls\n52%\n", "-0\n+2\n"),
        ("small · Keras 3.15.1 · 3 calls\n", "-50%\n"),
    ],
)
def test_a_newer_version_is_no_changed_behaviour(changed, after, said):
    before = "small · Keras 3.15.1 · 3 calls\n50%\n"
    assert changed(before, after) == (1 if said else 0, said)


def test_the_files_about_a_version_tell_of_the_same_one():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text("utf-8")
    told = re.findall(r"^## (\S+) · (\d{4}-\d\d-\d\d|unreleased)$", changes, re.MULTILINE)
    assert told[0][0] == version and len(told) == changes.count("\n## ")


@pytest.mark.parametrize("page", ["index.md", "debug.md"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_page_of_a_built_site_has_a_line_that_installs_the_wheel(language, page):
    def shown(wheel):
        config = SimpleNamespace(extra={"root": "https://example.org/", "wheel": wheel})
        text = (ROOT / "docs" / language / page).read_text("utf-8")
        return on_page_markdown(text, None, config, None).splitlines()

    assert "pip install https://example.org/package.whl" in shown("package.whl")
    assert "pip install keras_masking-*.whl" in shown(None)

"""Python modules as the bytecode of the Python that runs in the browser."""

import subprocess
import tempfile
from pathlib import Path

from live import HERE, archives
from live.parts import Files, need

COMPILER = tuple(HERE / name for name in ("compiling.py", "compiling.mjs"))


def compiled(files: Files, prefix: str, pyodide: Files) -> Files:
    """The files with bytecode in place of each module; kept, and made again when a file changes.

    `prefix` is the folder that tracebacks name in front of a module.
    """
    modules = {path: data for path, data in files.items() if path.endswith(".py")}
    others = {path: data for path, data in files.items() if path not in modules}
    made_of = [archives.tar(modules), prefix.encode(), pyodide["pyodide.asm.wasm"]]
    made_of += [path.read_bytes() for path in COMPILER]
    made = archives.made_once(
        "compiled",
        b"".join(made_of),
        lambda: archives.tar(compile_now(modules, prefix, pyodide)),
    )
    return others | archives.read(made)


def compile_now(modules: Files, prefix: str, pyodide: Files) -> Files:
    need("node")
    with tempfile.TemporaryDirectory() as folder:
        home, source, target = (Path(folder, name) for name in ("pyodide", "from", "to"))
        target.mkdir()
        write(pyodide, home)
        write(modules, source)
        command = ["node", str(COMPILER[1]), str(home), str(source), str(target), prefix]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"the modules were not compiled:\n{done.stderr.strip()}")
        return {
            path.relative_to(target).as_posix(): path.read_bytes() for path in target.rglob("*.pyc")
        }


def write(files: Files, folder: Path) -> None:
    for path, data in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

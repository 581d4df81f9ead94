// node node.mjs FOLDER: the built runtime in Node, for tests and measurements. Reads a request a
// line, as JSON, and answers with lines of JSON; node.py is its other end.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { gunzipSync } from "node:zlib";

const folder = resolve(process.argv[2]);
const read = (name) => new Uint8Array(gunzipSync(readFileSync(join(folder, name))));
const say = (message) => process.stdout.write(JSON.stringify(message) + "\n");
const clock = () => Math.round(performance.now());

const home = mkdtempSync(join(tmpdir(), "live-"));
process.on("exit", () => rmSync(home, { recursive: true, force: true }));
for (const name of ["pyodide.mjs", "pyodide.asm.js"]) writeFileSync(join(home, name), readFileSync(join(folder, name)));
writeFileSync(join(home, "pyodide.asm.wasm"), read("pyodide.asm.wasm.bin"));
writeFileSync(join(home, "python_stdlib.zip"), read("python_stdlib.bin"));

const { ARCHIVES, NO_PACKAGES, PYTHON, start } = await import(pathToFileURL(join(folder, "boot.mjs")));
writeFileSync(join(home, "pyodide-lock.json"), JSON.stringify(NO_PACKAGES));
const { loadPyodide } = await import(pathToFileURL(join(home, "pyodide.mjs")));
const times = { start: clock() };
const pyodide = await loadPyodide({ indexURL: home, env: PYTHON, stdout: console.error, stderr: console.error });
times.python = clock();
const run = start(pyodide, ARCHIVES.map(read), (what) => (times[what] = clock()));
say({ ready: times });

for await (const line of createInterface({ input: process.stdin })) {
  const { code, language, python, mount } = JSON.parse(line);
  const from = clock();
  try {
    if (mount) {
      pyodide.FS.mkdirTree(mount.at);
      pyodide.FS.mount(pyodide.FS.filesystems.NODEFS, { root: mount.folder }, mount.at);
      say({ result: null });
    } else if (python) {
      say({ result: JSON.parse(pyodide.runPython(`import json\njson.dumps(${python})`)) });
    } else {
      const result = run(code, (stream, text) => say({ stream, text }), language);
      say({ result: { ...result, ms: clock() - from } });
    }
  } catch (error) {
    say({ fatal: String(error.stack ?? error) });
  }
}

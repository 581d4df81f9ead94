// node compiling.mjs PYODIDE FROM TO PREFIX: runs compiling.py in Pyodide on the folder FROM
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [home, from, to, prefix] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(`${home}/pyodide.mjs`));
// a fixed order of sets, so that the same source gives the same bytes; lines, and no columns
const env = { PYTHONHASHSEED: "0", PYTHONNODEBUGRANGES: "1" };
const python = await loadPyodide({ indexURL: home, env });
for (const [place, root] of [["/from", from], ["/to", to]]) {
  python.FS.mkdir(place);
  python.FS.mount(python.FS.filesystems.NODEFS, { root }, place);
}
const code = readFileSync(new URL("compiling.py", import.meta.url), "utf-8");
python.runPython(code, { globals: python.toPy({ PREFIX: prefix }) });

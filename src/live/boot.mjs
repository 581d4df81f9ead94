// Starts Keras in a Pyodide that is loaded, and runs a reader's code in it: in a page's worker, and
// in Node for tests. No file is fetched here.

const SITE_PACKAGES = "/lib/python3.12/site-packages";
/** The archives that `start` unpacks, each as a file of that name holds it gzipped. */
export const ARCHIVES = ["packages.bin", "keras_masking.bin"];
/** The environment that Pyodide is to be loaded with. */
export const PYTHON = { KERAS_BACKEND: "numpy", HOME: "/home/pyodide" };
/** What Pyodide reads as pyodide-lock.json: it is to fetch no packages. */
export const NO_PACKAGES = {
  info: { abi_version: "2024_0", arch: "wasm32", platform: "emscripten_3_1_58", python: "3.12.7", version: "0.27.8" },
  packages: {},
};

/**
 * Unpack the archives, import Keras, and return what runs a reader's code.
 *
 * @param pyodide as `loadPyodide` gives it, with the environment PYTHON
 * @param {(ArrayBuffer | Uint8Array)[]} archives the contents of ARCHIVES
 * @param {(what: "unpacked" | "imported") => void} reached told how far this is
 * @returns {(code: string, tell: (stream: string, text: string) => void, language?: string) => object}
 *   `run` of in_browser/running.py, and what it returns
 */
export function start(pyodide, archives, reached = () => {}) {
  for (const archive of archives) unpack(pyodide.FS, new Uint8Array(archive), SITE_PACKAGES);
  reached("unpacked");
  const { run } = pyodide.pyimport("in_browser");
  reached("imported");
  return (code, tell, language = "en") => {
    const result = run(code, tell, language);
    try {
      return result.toJs({ dict_converter: Object.fromEntries });
    } finally {
      result.destroy();
    }
  };
}

// A tar as live/archives.py writes it; Python's own reader takes four times as long.
function unpack(FS, tar, folder) {
  const text = new TextDecoder();
  const field = (at, size) => text.decode(tar.subarray(at, at + size)).replace(/\0.*/s, "");
  const made = new Set();
  for (let at = 0; tar[at]; ) {
    const path = [folder, field(at + 345, 155), field(at, 100)].filter(Boolean).join("/");
    const size = parseInt(field(at + 124, 12), 8);
    const parent = path.slice(0, path.lastIndexOf("/"));
    if (!made.has(parent)) FS.mkdirTree(parent);
    made.add(parent);
    FS.writeFile(path, tar.subarray(at + 512, at + 512 + size));
    at += 512 + 512 * Math.ceil(size / 512);
  }
}

// Starts Keras in a page's worker, and runs a reader's code in it. No file is fetched here: `read`
// gives the ones that manifest.json lists.

const SITE_PACKAGES = "/lib/python3.12/site-packages";
export const PYTHON = { KERAS_BACKEND: "numpy", HOME: "/home/pyodide" };
export const ARCHIVES = ["packages.bin", "keras_masking.bin"];
export const NO_PACKAGES = {
  info: { abi_version: "2024_0", arch: "wasm32", platform: "emscripten_3_1_58", python: "3.12.7", version: "0.27.8" },
  packages: {},
};

/**
 * Load Python and Keras.
 *
 * @param {(name: string) => Promise<Response>} read the response for a file of manifest.json
 * @returns {Promise<(code: string, tell: (stream: string, text: string) => void, language?: string) => object>}
 *   runs a reader's code as `run` of in_browser/running.py does, and returns what it returns
 */
export async function boot(read) {
  const here = new URL(".", import.meta.url).href;
  const archives = ARCHIVES.map(async (name) => new Response(unzipped(await read(name))).arrayBuffer());
  for (const archive of archives) archive.catch(() => {}); // told where it is awaited
  const answers = {
    "pyodide.asm.wasm": async () => answer(unzipped(await read("pyodide.asm.wasm.bin")), "application/wasm"),
    "python_stdlib.zip": async () => answer(unzipped(await read("python_stdlib.bin")), "application/zip"),
    "pyodide-lock.json": async () => answer(JSON.stringify(NO_PACKAGES), "application/json"),
  };
  const fetch = self.fetch;
  self.fetch = (resource) => {
    const name = new URL(resource.url ?? resource, here).pathname.split("/").pop();
    return answers[name] ? answers[name]() : Promise.reject(new TypeError(`${name} is not part of Python here`));
  };
  try {
    const { loadPyodide } = await import("./pyodide.mjs");
    const pyodide = await loadPyodide({ indexURL: here, env: PYTHON });
    return start(pyodide, await Promise.all(archives));
  } finally {
    self.fetch = fetch;
  }
}

/** Unpack the archives into a Pyodide that is loaded with the environment PYTHON, and import Keras. */
export function start(pyodide, archives, reached = () => {}) {
  for (const archive of archives) pyodide.unpackArchive(archive, "tar", { extractDir: SITE_PACKAGES });
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

function unzipped(response) {
  return response.body.pipeThrough(new DecompressionStream("gzip"));
}

function answer(body, type) {
  return new Response(body, { headers: { "Content-Type": type } });
}

// Python with Keras, in the worker that frame.html starts. Files come from the page, each as a blob
// of a name; then code, which runs. Nothing is fetched here: the frame's policy would refuse it.

const MEMORY = 2 ** 30; // bytes; a reader's computer has other work to do
const { grow } = WebAssembly.Memory.prototype;
WebAssembly.Memory.prototype.grow = function (pages) {
  if (this.buffer.byteLength + pages * 65536 > MEMORY) throw new RangeError("out of memory");
  return grow.call(this, pages);
};

const waiting = new Map();
function file(name) {
  if (!waiting.has(name)) waiting.set(name, Promise.withResolvers());
  return waiting.get(name);
}

async function module(name) {
  const script = new Blob([await file(name).promise], { type: "text/javascript" });
  return import(URL.createObjectURL(script));
}

async function unpacked(name, type = "application/octet-stream") {
  const blob = await file(name).promise;
  const body = blob.stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(body, { headers: { "Content-Type": type } });
}

async function boot(say) {
  const { ARCHIVES, NO_PACKAGES, PYTHON, start } = await module("boot.mjs");
  const archives = ARCHIVES.map(async (name) => (await unpacked(name)).arrayBuffer());
  const answers = {
    "pyodide.asm.wasm": () => unpacked("pyodide.asm.wasm.bin", "application/wasm"),
    "python_stdlib.zip": () => unpacked("python_stdlib.bin", "application/zip"),
    "pyodide-lock.json": () => new Response(JSON.stringify(NO_PACKAGES)),
  };
  self.fetch = async (resource) => answers[String(resource.url ?? resource).split("/").pop()]();
  const [{ loadPyodide }] = await Promise.all([module("pyodide.mjs"), module("pyodide.asm.js")]);
  const pyodide = await loadPyodide({ indexURL: "https://python.invalid/", env: PYTHON });
  return start(pyodide, await Promise.all(archives), say);
}

addEventListener("message", ({ ports: [page] }) => {
  const say = (message) => page.postMessage(message);
  const started = performance.now();
  const running = boot((reached) => say({ reached }));
  running.then(
    () => say({ ready: performance.now() - started }),
    (error) => say({ broken: String(error) }),
  );
  page.onmessage = async ({ data: { name, blob, id, code, language } }) => {
    if (name) return file(name).resolve(blob);
    const run = await running;
    say({ id, begun: true });
    try {
      const tell = (stream, text) => say({ id, stream, text });
      say({ id, result: run(code, tell, language) });
    } catch (error) {
      say({ broken: String(error) });
    }
  };
}, { once: true });

// Python with Keras for a page. It is loaded at the first run, kept in the browser's storage, and
// lives in a frame that cannot reach the page (frame.html).

const SECONDS = 60; // that a run may take
const STORE = "keras-masking-live";
const here = (name) => new URL(name, import.meta.url).href;

let engine; // a promise of what a run is sent to
let frame;
let opening; // a promise of the frame
let aborted;
let last = 0;
const runs = new Map();

/**
 * Run code, after loading Python where that was not done yet.
 *
 * @param {string} code
 * @param {object} options
 * @param {"en" | "zh"} [options.language] of figures
 * @param {(loaded: number, total: number) => void} [options.load] bytes, while files come
 * @param {() => void} [options.begin] Python is there and the code begins
 * @param {(stream: "out" | "error", text: string) => void} [options.print]
 * @returns {Promise<{status: string, error: string | null, figures: object[]}>} what `run` of
 *   in_browser/running.py returns; further values of `status` are "stopped" (by `stop`, or with
 *   another run before it began), "time" (it took longer than SECONDS) and "ended" (Python itself
 *   ended; `error` says how)
 * @throws {Error} Python could not be loaded; the next run tries again
 */
export function run(code, { language = "en", load, begin, print } = {}) {
  const id = ++last;
  return new Promise((resolve, reject) => {
    runs.set(id, { load, begin, print, resolve });
    engine ??= start();
    engine.then(
      (port) => port.postMessage({ id, code, language }),
      (error) => {
        runs.delete(id);
        reject(error);
      },
    );
  });
}

/** End what runs or loads. */
export function stop() {
  end("stopped");
}

function end(status, error = null) {
  aborted?.abort();
  frame?.contentWindow?.postMessage(null, "*");
  engine = undefined;
  for (const [id, { resolve, timer }] of runs) {
    clearTimeout(timer);
    runs.delete(id);
    // code that waited for this run has taken no time
    resolve({ status: status === "time" && !timer ? "stopped" : status, error, figures: [] });
  }
}

function start() {
  const mine = new AbortController();
  aborted = mine;
  const { port1: port, port2: other } = new MessageChannel();
  const started = (async () => {
    const [script] = await Promise.all([newest("worker.js", mine.signal), opened()]);
    const ready = new Promise((resolve, reject) => {
      let there = false;
      port.onmessage = ({ data }) => {
        if (data.ready) {
          there = true;
          resolve(port);
        } else if (data.broken && !there) reject(new Error(data.broken));
        else if (data.broken) end("ended", data.broken);
        else if (runs.has(data.id)) answer(data);
      };
    });
    ready.catch(() => {}); // it is told where it is awaited
    const worker = new Blob([await script.blob()], { type: "text/javascript" });
    mine.signal.throwIfAborted(); // after Stop a stored script still comes
    frame.contentWindow.postMessage(worker, "*", [other]);
    await load(port, mine.signal);
    return ready;
  })();
  started.catch(() => {
    if (engine === started) engine = undefined;
    mine.abort();
  });
  return started;
}

function answer({ id, begun, stream, text, result }) {
  const run = runs.get(id);
  if (begun) {
    run.timer = setTimeout(end, SECONDS * 1000, "time", String(SECONDS));
    run.begin?.();
  } else if (stream) run.print?.(stream, text);
  else {
    clearTimeout(run.timer);
    runs.delete(id);
    run.resolve(result);
  }
}

addEventListener("message", ({ source, data }) => {
  if (data && source === frame?.contentWindow) end("ended", data); // no worker could be started
});

/** The frame, which says that it is there. */
function opened() {
  opening ??= new Promise((resolve, reject) => {
    const made = document.createElement("iframe");
    made.sandbox = "allow-scripts";
    made.hidden = true;
    made.src = here("frame.html");
    const lost = setTimeout(() => {
      made.remove();
      opening = undefined;
      reject(new Error("frame.html did not open"));
    }, 20_000);
    addEventListener("message", function hear({ source }) {
      if (source !== made.contentWindow) return;
      removeEventListener("message", hear);
      clearTimeout(lost);
      frame = made;
      resolve();
    });
    document.body.append(made);
  });
  return opening;
}

/** Send the files that manifest.json lists, each as it comes. */
async function load(port, signal) {
  const { files } = await (await newest("manifest.json", signal)).json();
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  let loaded = 0;
  const count = (bytes) => {
    loaded += bytes;
    for (const { load } of runs.values()) load?.(loaded, total);
  };
  const addresses = files.map(({ name, sha256 }) => here(`${name}?${sha256.slice(0, 16)}`));
  await Promise.all(
    files.map(async ({ name, bytes }, i) => {
      port.postMessage({ name, blob: await kept(addresses[i], bytes, count, signal) });
    }),
  );
  const store = await storage();
  for (const { url } of (await store?.keys()) ?? [])
    if (url.includes("?") && !addresses.includes(url)) store.delete(url);
}

/** A file that never changes at its address. */
async function kept(address, bytes, count, signal) {
  const store = await storage();
  const found = await store?.match(address);
  if (found) {
    count(bytes);
    return found.blob();
  }
  const parts = [];
  for await (const part of pieces(await got(address, { signal }))) {
    parts.push(part);
    count(part.length);
  }
  const blob = new Blob(parts);
  if (blob.size !== bytes) throw new Error(`${address}: ${blob.size} bytes, not ${bytes}`);
  store?.put(address, new Response(blob)).catch(() => {});
  return blob;
}

async function* pieces(response) {
  const reader = response.body.getReader();
  for (let part; !(part = await reader.read()).done; ) yield part.value;
}

/** A file as it is on the server now, or as it was last where the server cannot be reached. */
async function newest(name, signal) {
  const store = await storage();
  try {
    const response = await got(here(name), { cache: "no-cache", signal });
    store?.put(here(name), response.clone()).catch(() => {});
    return response;
  } catch (error) {
    const found = await store?.match(here(name));
    if (found) return found;
    throw error;
  }
}

async function got(address, options) {
  const response = await fetch(address, options).catch((error) => {
    throw new Error(`${address}: ${error.message}`);
  });
  if (!response.ok) throw new Error(`${address}: HTTP ${response.status}`);
  return response;
}

/** Nothing where the browser keeps nothing. */
const storage = () => globalThis.caches?.open(STORE).catch(() => undefined);

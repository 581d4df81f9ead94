// The state of the playground in the fragment of its address: data, never more.
import { GROUPS } from "./playground-models.js";

const MARK = "#state=";
const ADDRESS = 12_000; // characters
const STATE = 20_000; // bytes
export const LIMITS = { samples: 8, steps: 16, layers: 24, args: 200, code: 8_000, value: 1e6 };

const whole = (x, from, to) => Number.isInteger(x) && x >= from && x <= to;
const text = (x, most) => typeof x === "string" && x.length <= most;
const list = (x, from, to) => Array.isArray(x) && whole(x.length, from, to);
const known = (name) => Object.values(GROUPS).some((group) => Object.hasOwn(group, name));

function isNumber(x, kind) {
  return Math.abs(x) <= LIMITS.value && (kind === "ids" ? whole(x, 0, LIMITS.value) : Number.isFinite(x));
}

const isLayer = (x) =>
  list(x, 2, 2) && known(x[0]) && text(x[1], LIMITS.args) && !/[\r\n]/.test(x[1]);

function isState({ kind, side, fill, lengths, rows, any, layers, code }) {
  if (!list(rows, 1, LIMITS.samples) || !list(rows[0], 1, LIMITS.steps)) return false;
  const steps = rows[0].length;
  return (
    ["ids", "numbers"].includes(kind) &&
    ["left", "right"].includes(side) &&
    isNumber(fill, kind) &&
    list(lengths, rows.length, rows.length) &&
    lengths.every((x) => whole(x, 0, steps)) &&
    rows.every((row) => list(row, steps, steps) && row.every((x) => isNumber(x, kind))) &&
    typeof any === "boolean" &&
    list(layers, 0, LIMITS.layers) &&
    layers.every(isLayer) &&
    (code === undefined || text(code, LIMITS.code))
  );
}

/** Whether an address holds a state. */
export const marked = (fragment) => fragment.startsWith(MARK);

/** The fragment for a state. */
export async function encoded(state) {
  const packed = new Blob([JSON.stringify(state)]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const bytes = new Uint8Array(await new Response(packed).arrayBuffer());
  const base64 = btoa(String.fromCharCode(...bytes));
  return MARK + base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * The state that a fragment holds.
 *
 * @throws {RangeError} it is longer than any that the playground makes
 * @throws {Error} it is none that the playground makes
 */
export async function decoded(fragment) {
  if (fragment.length > ADDRESS) throw new RangeError(fragment.length);
  const base64 = fragment.slice(MARK.length).replaceAll("-", "+").replaceAll("_", "/");
  const bytes = Uint8Array.from(atob(base64), (x) => x.charCodeAt(0));
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const parts = [];
  let size = 0;
  const reader = unpacked.getReader();
  for (let part; !(part = await reader.read()).done; parts.push(part.value)) {
    size += part.value.length;
    if (size > STATE) throw new RangeError(size);
  }
  const { kind, side, fill, lengths, rows, any, layers, code } = JSON.parse(await new Blob(parts).text());
  const state = { kind, side, fill, lengths, rows, any, layers, code };
  if (!isState(state)) throw new TypeError("no state of the playground");
  return state;
}

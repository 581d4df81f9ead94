// What the playground can hold: layers to pick, known faults, and the Python program of a state.

const KERAS = {
  Embedding: "10, 4, mask_zero=True",
  Masking: "",
  Dense: "4",
  Dropout: "0.5",
  Rescaling: "2.0",
  LayerNormalization: "",
  GroupNormalization: "2",
  RMSNormalization: "",
  BatchNormalization: "",
  SimpleRNN: "4, return_sequences=True",
  LSTM: "4",
  GRU: "4",
  Bidirectional: "layers.LSTM(4)",
  TimeDistributed: "layers.Dense(4)",
  MultiHeadAttention: "2, 3",
  Attention: "",
  Conv1D: '4, 3, padding="same"',
  MaxPooling1D: "2",
  AveragePooling1D: "2",
  GlobalMaxPooling1D: "",
  GlobalAveragePooling1D: "",
  Flatten: "",
  Reshape: "(-1, 8)",
  Cropping1D: "1",
  ZeroPadding1D: "1",
  Lambda: "lambda x: x * 2",
};
const OURS = {
  MaskedMean: "",
  MaskedSum: "",
  MaskedMax: "",
  MaskedMin: "",
  MaskedStd: "",
  MaskedFirst: "",
  MaskedLast: "",
  MaskedFlatten: "",
  MaskedReshape: "(-1, 8)",
  MaskedConv1D: '4, 3, padding="same"',
  MaskedMaxPooling1D: "2",
  MaskedAveragePooling1D: "2",
  MaskedCropping1D: "1",
  MaskedZeroPadding1D: "1",
  MaskedGroupNormalization: "2",
  MaskedRMSNormalization: "",
  MaskedBatchNormalization: "",
  MaskedMultiHeadAttention: "2, 3",
  MaskedAttentionPooling: "",
  DropMask: "",
};
// the code with {} where the arguments go, and these
const OPERATIONS = {
  "x …": ["x {}", "* 2"],
  "x[…]": ["x[{}]", ":, 1:"],
  "ops.mean": ["ops.mean(x, {})", "axis=1"],
  "ops.max": ["ops.max(x, {})", "axis=1"],
  "ops.softmax": ["ops.softmax(x, {})", "axis=1"],
  "x + MultiHeadAttention": ["layers.Add()([x, layers.MultiHeadAttention({})(x, x)])", "2, 3"],
};
const CALLED_WITH = {
  Attention: "[x, x]",
  MultiHeadAttention: "x, x",
  MaskedMultiHeadAttention: "x, x",
};

/** What can be picked, by group; each name with the arguments that it has at first. */
export const GROUPS = {
  Keras: KERAS,
  keras_masking: OURS,
  operations: Object.fromEntries(Object.entries(OPERATIONS).map(([name, [, args]]) => [name, args])),
};

const EMBEDDING = ["Embedding", KERAS.Embedding];
const MEAN = ["GlobalAveragePooling1D", ""];
const ROWS = [
  [3, 1, 4, 1, 5, 9],
  [2, 6, 5, 3, 5, 8],
  [3, 5, 8, 9, 7, 9],
];
const START = { kind: "ids", side: "right", fill: 0, lengths: [6, 3, 2], rows: ROWS, any: true };
const stack = (...layers) => ({ ...START, layers });
const BLOCK = [["x + MultiHeadAttention", "2, 3"], ["LayerNormalization", ""]];
const written = (code) => ({ ...stack(EMBEDDING, MEAN), code });

/** Known faults, by the names that src/sitekit/measured/faults has for them; `sum` is method 2. */
export const PRESETS = {
  operator: stack(EMBEDDING, ["x …", "* 2"], MEAN),
  slicing: stack(EMBEDDING, ["x[…]", ":, 1:"], MEAN),
  flatten: { ...stack(EMBEDDING, ["Flatten", ""], ["Dense", "1"]), any: false },
  "global-max-pooling": stack(EMBEDDING, ["GlobalMaxPooling1D", ""]),
  "group-normalization": stack(EMBEDDING, ["GroupNormalization", "2"], MEAN),
  "post-norm-transformer": stack(EMBEDDING, ...BLOCK, ...BLOCK, MEAN),
  backwards: stack(
    EMBEDDING,
    ["SimpleRNN", "4, return_sequences=True, go_backwards=True"],
    MEAN,
  ),
  "embedding-without-mask-zero": stack(["Embedding", "10, 4"], MEAN),
  sum: written(`class TiledSum(layers.Layer):
    def call(self, x, mask=None):
        samples, steps, features = ops.shape(x)
        flat = ops.reshape(x, (samples, -1))
        tile = ops.repeat(mask[:, None], features, axis=1)
        return ops.sum(flat * ops.cast(ops.reshape(tile, (samples, -1)), x.dtype), axis=1)

    def compute_mask(self, x, mask=None):
        return None


inputs = keras.Input((None,), dtype="int32")
x = layers.Embedding(10, 4, mask_zero=True)(inputs)
model = keras.Model(inputs, TiledSum()(x))
`),
  "no-supports-masking": written(`class Double(layers.Layer):
    def call(self, x):
        return x * 2


inputs = keras.Input((None,), dtype="int32")
x = layers.Embedding(10, 4, mask_zero=True)(inputs)
x = Double()(x)
x = layers.GlobalAveragePooling1D()(x)
model = keras.Model(inputs, x)
`),
};

/** The batch of a state, padded. */
export function padded({ side, fill, lengths, rows }) {
  return rows.map((row, i) => {
    const kept = row.slice(0, lengths[i]);
    const rest = Array(row.length - lengths[i]).fill(fill);
    return side === "right" ? [...kept, ...rest] : [...rest, ...kept];
  });
}

function made([name, args]) {
  if (name in OPERATIONS) return OPERATIONS[name][0].replace("{}", () => args);
  const layer = name in OURS ? name : `layers.${name}`;
  return `${layer}(${args})(${CALLED_WITH[name] ?? "x"})`;
}

const ours = (layers) => [...new Set(layers.map(([name]) => name).filter((name) => name in OURS))];

function built({ kind, any, rows, layers }) {
  const steps = any ? "None" : rows[0].length;
  const input = kind === "ids" ? `(${steps},), dtype="int32"` : `(${steps}, 1)`;
  const lines = [`x = inputs = keras.Input(${input})`, ...layers.map((layer) => `x = ${made(layer)}`)];
  return `${lines.join("\n")}\nmodel = keras.Model(inputs, x)\n`;
}

/** The layers of a state as code to go on from. */
export function code(state) {
  const names = ours(state.layers).sort();
  return (names.length ? `from keras_masking import ${names.join(", ")}\n\n` : "") + built(state);
}

/**
 * The program of a state, and its beginnings that tell something sooner.
 *
 * @returns {{trace: string, leaks: string, all: string}} what prints the trace, what prints the
 *   report of find_leaks, and the same with the repair where there is something to repair
 */
export function programs(state, language) {
  const names = state.code === undefined ? ours(state.layers) : [];
  const rows = padded(state).map((row) => `    [${row.join(", ")}],\n`).join("");
  const batch = `np.array([\n${rows}], dtype="${state.kind === "ids" ? "int32" : "float32"}")`;
  const how = language === "zh" ? '"zh", width=76' : "width=76";
  const given = `model, batch, padding=${state.fill}`;
  const start = (...tools) => `import os

os.environ["KERAS_BACKEND"] = "numpy"

import keras
import numpy as np
from keras import layers, ops

from keras_masking import ${[...names, ...tools].sort().join(", ")}

keras.utils.set_random_seed(0)
batch = ${batch}${state.kind === "ids" ? "" : "[..., None]"}

${state.code ?? built(state)}
`;
  const leaks = `${start("find_leaks", "repair")}report = find_leaks(${given})
print(report.to_text(${how}))
`;
  return {
    trace: `${start("trace")}print(trace(model, batch).to_text(${how}))\n`,
    leaks,
    all: `${leaks}if report.leaks:\n    print(repair(${given}).to_text(${how}))\n`,
  };
}

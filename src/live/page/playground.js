// The playground: a form for a batch and a model, and what Keras and keras_masking say of them.
// Nothing more is loaded before the first Run, but the editor where code is written; from then on
// each edit shows what it changes.
import { code, GROUPS, padded, PRESETS, programs } from "./playground-models.js";
import { decoded, encoded, LIMITS, marked } from "./playground-links.js";
import { language, loading, make, meter, picture, printed, say, saying, tell } from "./run.js";

const PAUSE = 100; // milliseconds after an edit
const LONG = 10_000; // milliseconds that a run may take once an edit waits for it
const TEXTS = {
  start: ["Start from", "从这里开始"],
  operator: ["an operator: x * 2", "运算符：x * 2"],
  slicing: ["a slice: x[:, 1:]", "切片：x[:, 1:]"],
  flatten: ["Flatten", "Flatten"],
  "global-max-pooling": ["GlobalMaxPooling1D", "GlobalMaxPooling1D"],
  "group-normalization": ["GroupNormalization", "GroupNormalization"],
  "post-norm-transformer": ["two Transformer blocks", "两个 Transformer 块"],
  backwards: ["a recurrent layer that runs backwards", "反向运行的循环层"],
  "embedding-without-mask-zero": ["an Embedding without mask_zero", "没有 mask_zero 的 Embedding"],
  sum: ["method 2 of the sum", "求和的方法 2"],
  "no-supports-masking": ["a layer of your own", "自己写的层"],
  edited: ["your own", "自己改的"],
  batch: ["Batch", "批次"],
  kind: ["Each step is", "每个时间步是"],
  ids: ["an index", "一个索引"],
  numbers: ["a number", "一个数"],
  side: ["Padding on the", "填充放在"],
  left: ["left", "左边"],
  right: ["right", "右边"],
  fill: ["Padding value", "填充值"],
  sample: ["sample", "样本"],
  length: ["length", "长度"],
  lengthOf: ["length of sample {}", "样本 {} 的长度"],
  cell: ["sample {}, step {}", "样本 {}，时间步 {}"],
  moreSamples: ["Add a sample", "加一个样本"],
  fewerSamples: ["Remove a sample", "去掉一个样本"],
  moreSteps: ["Add a step", "加一个时间步"],
  fewerSteps: ["Remove a step", "去掉一个时间步"],
  model: ["Model", "模型"],
  layers: ["Layers", "逐层挑选"],
  code: ["Code", "写代码"],
  any: ["takes any number of steps", "接受任意多个时间步"],
  operations: ["operations", "运算"],
  layer: ["layer {}", "第 {} 层"],
  args: ["arguments of layer {}", "第 {} 层的参数"],
  up: ["move layer {} up", "把第 {} 层上移"],
  down: ["move layer {} down", "把第 {} 层下移"],
  remove: ["remove layer {}", "去掉第 {} 层"],
  add: ["Add a layer", "加一层"],
  source: ["Code that makes model; Escape, then Tab leaves it", "定义 model 的代码，先按 Escape 再按 Tab 离开"],
  full: ["At most {} characters fit", "最多 {} 个字符"],
  link: ["Copy link", "复制链接"],
  linked: ["The link is copied", "链接已复制"],
  address: ["The link is the address of this page", "链接就是本页的地址"],
  program: ["Copy as Python", "复制为 Python"],
  programmed: ["The program is copied", "程序已复制"],
  selected: ["The program is selected below", "程序已在下方选中"],
  whole: ["The program", "完整程序"],
  took: ["{} s", "{} 秒"],
  opened: ["From a link. Nothing runs before you press Run", "来自链接。按下「运行」之前，什么都不会运行"],
  long: ["The link is too long to come from this page", "链接太长，不是本页生成的"],
  broken: ["The link is damaged, or does not come from this page", "链接已损坏，或者不是本页生成的"],
  warnings: ["Keras warned", "Keras 的警告"],
  output: ["What the program printed", "程序的输出"],
};
const word = saying(TEXTS);

const root = document.querySelector(".playground");
let state = structuredClone(PRESETS.operator);

// The form

function labelled(name, control) {
  return make("label", {}, make("span", { textContent: word(name) }), control);
}

function button(label, key, action, props = {}) {
  const made = make("button", { type: "button", textContent: label, ...props });
  made.dataset.key = key;
  made.addEventListener("click", action);
  return made;
}

function choice(options, value, choose, props = {}) {
  const made = make("select", props, ...options);
  made.value = value;
  made.addEventListener("change", () => choose(made.value));
  return made;
}

const option = (value, text) => make("option", { value, textContent: text });

function number(value, min, max, enter, props = {}) {
  const step = min === 0 ? 1 : "any";
  const made = make("input", { type: "number", required: true, min, max, step, value, ...props });
  made.addEventListener("input", () => {
    if (made.validity.valid) enter(made.valueAsNumber);
  });
  return made;
}

const form = make("form");
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  start();
});

const fields = make("div");
const edited = option("edited", word("edited"));
const presets = choice(
  Object.keys(PRESETS).map((name) => option(name, word(name))),
  "operator",
  (name) => {
    if (name === "edited") return;
    state = structuredClone(PRESETS[name]);
    came(name);
    draw();
    changed();
  },
);
form.append(labelled("start", presets), fields);

/** Say which preset the state is; nothing where it is none. */
function came(name) {
  if (name) edited.remove();
  else presets.prepend(edited);
  presets.value = name ?? "edited";
}

/** Draw the fields anew, with the focus on the control of this key. */
function draw(key) {
  fields.replaceChildren(batch(), model());
  const control = key && form.querySelector(`[data-key="${key}"]`);
  if (control) (control.disabled ? control.parentElement.querySelector("button:enabled") : control).focus();
}

/** A change of the form's shape. */
function change(key, alter) {
  alter();
  came();
  draw(key);
  changed();
}

/** A change of a value that the form shows already. */
function enter(alter) {
  alter();
  came();
  changed();
}

function batch() {
  const { kind, side, fill, lengths, rows } = state;
  const steps = rows[0].length;
  const least = kind === "ids" ? 0 : -LIMITS.value;
  const kinds = choice(
    ["ids", "numbers"].map((name) => option(name, word(name))),
    kind,
    (value) =>
      change("kind", () => {
        state.kind = value;
        if (value === "numbers") return;
        const index = (x) => Math.abs(Math.round(x));
        state.rows = rows.map((row) => row.map(index));
        state.fill = index(fill);
      }),
  );
  kinds.dataset.key = "kind";
  const sides = choice(
    ["right", "left"].map((name) => option(name, word(name))),
    side,
    (value) => change("side", () => (state.side = value)),
  );
  sides.dataset.key = "side";
  const filled = number(fill, least, LIMITS.value, (value) => {
    enter(() => (state.fill = value));
    for (const cell of form.querySelectorAll("td input:disabled")) cell.value = value;
  });

  const head = make("tr", {}, ...[word("sample"), word("length"), ...Array(steps).keys()].map(
    (textContent) => make("th", { scope: "col", textContent }),
  ));
  const body = padded(state).map((row, i) => {
    const long = number(
      lengths[i],
      0,
      steps,
      (value) => change(`length-${i}`, () => (state.lengths[i] = value)),
      { ariaLabel: word("lengthOf", i) },
    );
    long.dataset.key = `length-${i}`;
    const before = side === "right" ? 0 : steps - lengths[i];
    const cells = row.map((value, j) => {
      const place = j - before;
      const set = (x) => enter(() => (state.rows[i][place] = x));
      const cell = number(value, least, LIMITS.value, set, { ariaLabel: word("cell", i, j) });
      cell.disabled = place < 0 || place >= lengths[i];
      return make("td", {}, cell);
    });
    const name = make("th", { scope: "row", textContent: i });
    return make("tr", {}, name, make("td", {}, long), ...cells);
  });
  const table = make("table", { className: "steps" }, make("thead", {}, head), make("tbody", {}, ...body));

  const sizes = [
    ["moreSamples", rows.length < LIMITS.samples, () => {
      state.rows.push(rows.at(-1).slice());
      state.lengths.push(lengths.at(-1));
    }],
    ["fewerSamples", rows.length > 1, () => {
      state.rows.pop();
      state.lengths.pop();
    }],
    ["moreSteps", steps < LIMITS.steps, () => {
      for (const row of state.rows) row.push(1);
    }],
    ["fewerSteps", steps > 1, () => {
      for (const row of state.rows) row.pop();
      state.lengths = lengths.map((length) => Math.min(length, steps - 1));
    }],
  ].map(([name, can, alter]) => button(word(name), name, () => change(name, alter), { disabled: !can }));

  return make(
    "fieldset",
    {},
    make("legend", { textContent: word("batch") }),
    make("div", { className: "row" }, labelled("kind", kinds), labelled("side", sides), labelled("fill", filled)),
    make("div", { className: "scroll" }, table),
    make("div", { className: "row" }, ...sizes),
  );
}

function model() {
  const written = state.code !== undefined;
  const ways = ["layers", "code"].map((name) => {
    const way = make("input", { type: "radio", name: "way", checked: written === (name === "code") });
    way.dataset.key = name;
    way.addEventListener("change", () =>
      change(name, () => (state.code = name === "code" ? code(state) : undefined)),
    );
    return make("label", {}, way, make("span", { textContent: word(name) }));
  });
  const head = make("div", { className: "row" }, ...ways);
  const parts = written ? [source()] : stacked(head);
  return make("fieldset", {}, make("legend", { textContent: word("model") }), head, ...parts);
}

let kept; // the field of the code, with what was typed before, while it holds the same

function source() {
  if (kept?.code === state.code) return kept.field;
  const area = make("textarea", {
    ariaLabel: word("source"),
    maxLength: LIMITS.code,
    spellcheck: false,
    autocapitalize: "off",
    value: state.code,
    rows: state.code.split("\n").length,
  });
  const mine = (kept = { code: state.code, field: make("div", { className: "source" }, area) });
  const change = (text) => enter(() => (state.code = mine.code = text));
  area.addEventListener("input", () => {
    area.rows = area.value.split("\n").length;
    change(area.value);
  });
  let opening, composing = false;
  area.addEventListener("compositionstart", () => (composing = true));
  area.addEventListener("compositionend", () => setTimeout(() => (composing = false)));
  // loaded at the first edit; without it the field works as it is
  area.addEventListener("focus", () => (opening ??= open().catch(() => (opening = undefined))));
  async function open() {
    const { edited } = await import("./editor.js");
    while (composing) await new Promise((resolve) => setTimeout(resolve, 100));
    if (!area.isConnected) throw new Error("the field is gone");
    const focused = document.activeElement === area;
    const editor = edited(area, {
      text: area.value,
      label: word("source"),
      size: getComputedStyle(area).fontSize,
      selected: [area.selectionStart, area.selectionEnd],
      change,
      most: LIMITS.code,
      full: () => told(word("full", LIMITS.code)),
    });
    area.remove();
    if (focused) editor.focus();
  }
  return mine.field;
}

function stacked(head) {
  const any = make("input", { type: "checkbox", checked: state.any });
  any.addEventListener("change", () => enter(() => (state.any = any.checked)));
  head.append(make("label", {}, any, make("span", { textContent: word("any") })));

  const swap = (i, j) => ([state.layers[i], state.layers[j]] = [state.layers[j], state.layers[i]]);
  const last = state.layers.length - 1;
  const items = state.layers.map(([name, args], i) => {
    const groups = Object.entries(GROUPS).map(([label, group]) =>
      make(
        "optgroup",
        { label: TEXTS[label] ? word(label) : label },
        ...Object.keys(group).map((x) => option(x, x)),
      ),
    );
    const pick = (value) => {
      const group = Object.values(GROUPS).find((one) => value in one);
      // not drawn anew: a reader may still be typing its name
      given.value = group[value];
      enter(() => (state.layers[i] = [value, given.value]));
    };
    const layer = choice(groups, name, pick, { ariaLabel: word("layer", i + 1) });
    layer.dataset.key = `layer-${i}`;
    const given = make("input", {
      value: args,
      maxLength: LIMITS.args,
      spellcheck: false,
      autocapitalize: "off",
      ariaLabel: word("args", i + 1),
    });
    given.addEventListener("input", () => enter(() => (state.layers[i][1] = given.value)));
    const move = (label, key, to, disabled) => {
      const act = () => change(`${key}-${to}`, () => swap(i, to));
      return button(label, `${key}-${i}`, act, { ariaLabel: word(key, i + 1), disabled });
    };
    const remove = button(
      "×",
      `remove-${i}`,
      () => change(last ? `layer-${Math.min(i, last - 1)}` : "add", () => state.layers.splice(i, 1)),
      { ariaLabel: word("remove", i + 1) },
    );
    const up = move("↑", "up", i - 1, !i);
    return make("li", {}, layer, given, up, move("↓", "down", i + 1, i === last), remove);
  });
  const add = button(
    word("add"),
    "add",
    () => change(`layer-${last + 1}`, () => state.layers.push(["Dense", GROUPS.Keras.Dense])),
    { disabled: last + 1 >= LIMITS.layers },
  );
  return [make("ol", {}, ...items), add];
}

// What it gives

const run = button(say("run"), "run", start);
const stop = button(
  say("stop"),
  "stop",
  () => {
    again = false;
    interrupt();
  },
  { hidden: true },
);
const bytes = meter();
const status = make("small", { role: "status" });
const took = make("small"); // apart, since it is another each time
const copied = make("small", { role: "status" });
const bar = make(
  "div",
  { className: "run" },
  run,
  stop,
  button(word("link"), "link", copyLink),
  button(word("program"), "program", copyProgram),
  copied,
  bytes,
  status,
  took,
);
const result = make("div", { className: "ran" });
const listing = make("code");
const whole = make(
  "details",
  {},
  make("summary", { textContent: word("whole") }),
  make("pre", {}, listing),
);

function told(text, seconds) {
  tell(status, text);
  took.textContent = seconds ? word("took", seconds) : "";
}

let live = false; // the reader has pressed Run on this
let timer, running, again, began, overdue;

function changed() {
  copied.textContent = "";
  listing.textContent = programs(state, language).all;
  clearTimeout(timer);
  timer = setTimeout(async () => {
    history.replaceState(null, "", await encoded(state));
    if (live) update();
  }, PAUSE);
}

function start() {
  told(""); // so that the same result is read aloud again
  live = true;
  update();
}

async function update() {
  if (running) {
    again = true;
    hurry();
    return;
  }
  running = true;
  stop.hidden = false;
  result.classList.add("old");
  do {
    again = false;
    await inStages();
  } while (again && live);
  running = false;
  if (document.activeElement === stop) run.focus();
  stop.hidden = bytes.hidden = true;
  result.classList.remove("old");
}

const interrupt = async () => (await import("./python.js")).stop();

/** End what runs and is no longer wanted, where it takes long. */
function hurry() {
  if (again && began) overdue ??= setTimeout(interrupt, LONG - (performance.now() - began));
}

/** The masks, then the verdict, then the repair: each as soon as it is there. */
async function inStages() {
  const program = programs(state, language);
  const first = await ran(program.trace);
  if (!first || !live) return;
  const masks = drawn(first, "Trace");
  show(first, masks, masks && repair?.figure);
  if (again || first.status !== "done") return;

  const second = await ran(program.leaks);
  if (!second || !live) return;
  const found = drawn(second, "LeakReport");
  const leaks = found?.source.includes(LEAKS);
  show(second, found, leaks && repair?.figure);
  if (again || second.status !== "done") return;
  const seconds = ((performance.now() - first.began) / 1000).toFixed(1);
  // code that leaves by itself ends before a report is printed
  if (found) told(headline(found), seconds);
  else told(say("done", seconds));
  if (!leaks) return;

  const third = await ran(program.all);
  if (third && live && !again) show(third, drawn(third, "LeakReport"), drawn(third, "Repair"));
}

const drawn = ({ figures }, name) => figures.findLast((figure) => figure.name === name);

const LEAKS = '<div class="verdict leaks">';

/** The first sentence of a report; all of it, with its styles, the page's policy would refuse. */
function headline({ source }) {
  const [, sentence] = source.match(/<div class="verdict [\w-]+"><p>(.*?)<\/p>/s);
  return new DOMParser().parseFromString(sentence, "text/html").body.textContent;
}

/** Run a program; nothing where Python could not be loaded, which the status says. */
async function ran(program) {
  let out = "", errors = "", from;
  const print = (stream, text) => {
    if (stream === "out") out += text;
    else errors += text;
  };
  try {
    const python = await import("./python.js");
    const begin = () => {
      began = from = performance.now();
      hurry();
    };
    const ended = await python.run(program, { language, load: loading(bytes, status), begin, print });
    if (ended.status !== "done" && !again) told(how(ended));
    return { ...ended, out, errors, began: from };
  } catch (error) {
    live = again = false;
    told(say("lost", error.message));
  } finally {
    clearTimeout(overdue);
    began = overdue = undefined;
  }
}

function how({ status, error }) {
  if (status === "error") return error.trim().split("\n").at(-1);
  return say(status, error);
}

let report, repair; // frames that stay while their content changes

function show({ out, errors, error, status: ended }, first, second) {
  report = framed(report, first);
  repair = framed(repair, second);
  const wrong = ended === "error" ? [printed(error)] : [];
  const parts = [report?.frame, ...wrong, repair?.frame].filter(Boolean);
  if (errors) parts.push(make("p", { textContent: word("warnings") }), printed(errors));
  if (out) parts.push(folded(out));
  // a frame that is moved would load again
  for (const old of [...result.childNodes]) if (!parts.includes(old)) old.remove();
  parts.forEach((part, i) => {
    if (result.childNodes[i] !== part) result.insertBefore(part, result.childNodes[i] ?? null);
  });
}

function framed(before, figure) {
  if (!figure) return undefined;
  if (!before) return { figure, frame: picture(figure) };
  if (before.figure !== figure) {
    before.figure.source = figure.source;
    before.frame.title = say("figure", figure.name);
    before.frame.contentWindow?.postMessage(figure.source, "*");
  }
  return before;
}

let open = false;
function folded(out) {
  const made = make("details", { open }, make("summary", { textContent: word("output") }), printed(out));
  made.addEventListener("toggle", () => (open = made.open));
  return made;
}

async function copyLink() {
  history.replaceState(null, "", await encoded(state));
  try {
    await navigator.clipboard.writeText(location.href);
    copied.textContent = word("linked");
  } catch {
    copied.textContent = word("address");
  }
}

async function copyProgram() {
  try {
    await navigator.clipboard.writeText(listing.textContent);
    copied.textContent = word("programmed");
  } catch {
    whole.open = true;
    getSelection().selectAllChildren(listing);
    copied.textContent = word("selected");
  }
}

/** Take the state that the address holds; it runs when the reader presses Run. */
async function take() {
  if (!marked(location.hash)) return;
  live = false;
  clearTimeout(timer);
  show({});
  try {
    state = await decoded(location.hash);
    came();
    told(word("opened"));
  } catch (error) {
    told(word(error instanceof RangeError ? "long" : "broken"));
  }
  listing.textContent = programs(state, language).all;
  draw();
}

draw();
listing.textContent = programs(state, language).all;
root.replaceChildren(form, bar, result, whole);
addEventListener("hashchange", take);
take();

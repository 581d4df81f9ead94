// Answers what is typed into the search box: the worker that Material talks to, with an index and an
// order of its own (src/sitekit/published/searched.py writes the index and says why).
const READY = 1;
const QUERY = 2;
const RESULT = 3;

// How much a word counts by where it is written, and how much the length of that text counts.
const FIELDS = {
  words: { boost: 9, length: 0 },
  title: { boost: 8, length: 0.4 },
  description: { boost: 3, length: 0.4 },
  headings: { boost: 3, length: 0.5 },
  text: { boost: 1, length: 0.6 },
};

// English words without their endings: padded, padding and pads are all "pad".
function stem(word) {
  if (word.length < 4 || !/^[a-z]+$/.test(word)) return word;
  return word
    .replace(/ies$/, "y")
    .replace(/(ss|sh|ch|x|z)es$/, "$1")
    .replace(/([^suia])s$/, "$1")
    .replace(/(..[^e])(?:ing|ed|er)$/, "$1")
    .replace(/([bdgmnprt])\1$/, "$1")
    .replace(/(...)e$/, "$1");
}

// The words of a text. A name counts as a whole and, less, by its parts: GlobalMaxPooling1D,
// mask_zero. Chinese counts by each two characters that stand together, less where they are of
// two words.
const segmenter = globalThis.Intl?.Segmenter && new Intl.Segmenter("zh", { granularity: "word" });

const RUNS = /\p{sc=Han}+|[\p{sc=Latin}\p{N}_]+/gu;

function tokens(text, divide = false) {
  const found = [];
  for (const [run] of text.matchAll(RUNS)) {
    if (/\p{sc=Han}/u.test(run)) {
      if (run.length === 1) found.push([run, 1]);
      const starts = new Set();
      if (divide && segmenter) for (const { index } of segmenter.segment(run)) starts.add(index);
      for (let i = 0; i + 1 < run.length; i++)
        found.push([run.slice(i, i + 2), starts.has(i + 1) ? 0.3 : 1]);
      continue;
    }
    const parts = run.split(/_+|(?<=[a-z\d])(?=[A-Z])/).filter(Boolean);
    const whole = run.toLowerCase();
    found.push([parts.length > 1 ? whole : stem(whole), 1]);
    if (parts.length > 1) for (const part of parts) found.push([stem(part.toLowerCase()), 0.4]);
  }
  return found;
}

function counted(texts) {
  const counts = new Map();
  let length = 0;
  for (const [word, weight] of tokens(texts.join(" . "))) {
    counts.set(word, (counts.get(word) ?? 0) + weight);
    length += weight;
  }
  return { counts, length };
}

// BM25F over documents that are objects of field name -> texts.
class Index {
  constructor(documents) {
    this.documents = documents.map((document) =>
      Object.fromEntries(Object.entries(document).map(([name, texts]) => [name, counted(texts)])),
    );
    this.average = {};
    this.containing = new Map();
    for (const fields of this.documents) {
      const all = new Set();
      for (const [name, { counts, length }] of Object.entries(fields)) {
        this.average[name] = (this.average[name] ?? 0) + length / documents.length;
        for (const word of counts.keys()) all.add(word);
      }
      for (const word of all) this.containing.set(word, (this.containing.get(word) ?? 0) + 1);
    }
  }

  // What a word that was typed may mean here: itself, else what it begins, else a slip away.
  meant(word) {
    if (this.containing.has(word)) return [[word, 1]];
    const known = [...this.containing.keys()];
    const begun = known.filter((x) => word.length > 1 && x.startsWith(word));
    if (begun.length) return begun.map((x) => [x, 0.7]);
    return word.length < 4 ? [] : known.filter((x) => near(word, x)).map((x) => [x, 0.5]);
  }

  rarity(words) {
    const most = Math.max(0.5, ...words.map(([word]) => this.containing.get(word)));
    return 0.1 + Math.log(1 + (this.documents.length - most + 0.5) / (most + 0.5));
  }

  scores(query) {
    const wanted = new Map();
    for (const [word, weight] of tokens(query, true))
      wanted.set(word, Math.max(weight, wanted.get(word) ?? 0));
    const scores = this.documents.map(() => 0);
    const covered = this.documents.map(() => 0);
    let all = 0;
    for (const [word, weight] of wanted) {
      const words = this.meant(word);
      const rarity = weight * (words.length ? this.rarity(words) : 1);
      all += rarity;
      this.documents.forEach((fields, i) => {
        let count = 0;
        for (const [name, { counts, length }] of Object.entries(fields)) {
          const { boost, length: share } = FIELDS[name];
          const norm = 1 - share + (share * length) / (this.average[name] || 1);
          let best = 0;
          for (const [x, likely] of words)
            if (counts.has(x)) best = Math.max(best, likely * counts.get(x));
          count += (boost * best) / norm;
        }
        if (!count) return;
        scores[i] += (rarity * count) / (count + 4);
        covered[i] += rarity;
      });
    }
    return scores.map((score, i) => (all ? score * (covered[i] / all) ** 1.5 : 0));
  }
}

// One letter more, less or other.
function near(a, b) {
  if (Math.abs(a.length - b.length) > 1) return false;
  let i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  const rest = (x, skip) => x.slice(i + skip);
  return rest(a, 1) === rest(b, 1) || rest(a, 1) === rest(b, 0) || rest(a, 0) === rest(b, 1);
}

const bare = (text) => text.toLowerCase().replace(/[\s`“”"'，。：:.]+/g, " ").trim();
const escaped = (text) =>
  text.replace(/[&<>"]/g, (x) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[x]);

// A piece of a text around what was typed, which is marked.
function excerpt(text, query) {
  const words = [...query.matchAll(RUNS)]
    .map(([word]) => (/^[a-z]+$/i.test(word) ? stem(word.toLowerCase()) : word))
    .filter((word) => word.length > 1 || /\p{sc=Han}/u.test(word));
  if (!words.length) return escaped(text.slice(0, 160));
  const typed = new RegExp(`(${words.join("|")})`, "gi");
  const at = Math.max(0, text.search(typed));
  const start = at < 60 ? 0 : Math.max(0, text.lastIndexOf(" ", at - 40));
  const marked = text
    .slice(start, start + 180)
    .split(typed)
    .map((part, i) => (i % 2 ? `<mark>${escaped(part)}</mark>` : escaped(part)));
  return (start ? "… " : "") + marked.join("") + (start + 180 < text.length ? " …" : "");
}

// Resolves to what answers a query.
async function load() {
  const answer = await fetch(new URL("../search/search_index.json", location));
  const pages = await answer.json();
  const pageIndex = new Index(
    pages.map(({ words, description, sections: [first, ...others] }) => ({
      words,
      title: [first.title],
      description: [description],
      headings: others.map(({ title }) => title),
      text: [first, ...others].map(({ text }) => text),
    })),
  );
  const sections = pages.flatMap((page) => page.sections.map((section) => ({ page, ...section })));
  const sectionIndex = new Index(
    sections.map(({ title, text }) => ({ title: [title], text: [text] })),
  );
  const whole = pages.map(({ words, sections }) => [...words, sections[0].title].map(bare));

  return (query) => {
    const typed = bare(query);
    const within = sectionIndex.scores(query);
    const scored = sections
      .map((section, i) => ({ ...section, score: within[i] }))
      .filter((section) => section.anchor && section.score > 0)
      .sort((a, b) => b.score - a.score);
    return pageIndex
      .scores(query)
      .map((score, i) => ({
        page: pages[i],
        score: whole[i].includes(typed) ? score * 2 + 9 : score * pages[i].weight,
      }))
      .filter(({ score }) => score > 0)
      .sort((a, b) => b.score - a.score)
      .map(({ page, score }) => {
        const [first] = page.sections;
        const best = scored.filter((section) => section.page === page).slice(0, 3);
        return [
          {
            location: page.url,
            title: escaped(first.title),
            text: excerpt(page.description || first.text, query),
            score,
            terms: {},
          },
          ...best.map((section) => ({
            location: `${page.url}#${section.anchor}`,
            title: escaped(section.title),
            text: excerpt(section.text, query),
            score: score / 2,
            terms: {},
          })),
        ];
      });
  };
}

const loaded = load();
loaded.then(() => postMessage({ type: READY }));

addEventListener("message", async ({ data: { type, data } }) => {
  if (type !== QUERY) return;
  const search = await loaded;
  postMessage({ type: RESULT, data: { items: search(data) } });
});

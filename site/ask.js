// The query page: an editor, the canned queries, and a worker that answers over the published dump.
import { autocompletion } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { HighlightStyle, StreamLanguage, bracketMatching, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { sparql } from "@codemirror/legacy-modes/mode/sparql";
import { EditorState } from "@codemirror/state";
import { EditorView, drawSelection, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { explained, whole, why } from "./explain.js";

const data = window.kgqData;
const canned = document.getElementById("canned");
const run = document.getElementById("run");
const stop = document.getElementById("stop");
const state = document.getElementById("state");
const result = document.getElementById("result");
const MOST = 1000;

const look = HighlightStyle.define([
  { tag: tags.keyword, fontWeight: "700" },
  { tag: [tags.variableName, tags.special(tags.variableName)], color: "var(--accent)" },
  { tag: [tags.comment, tags.atom, tags.meta], color: "var(--soft)" },
  { tag: [tags.string, tags.number], textDecoration: "underline dotted", textUnderlineOffset: ".25em" },
]);

// Prefixes, and the names of the things that have one.
const shorten = (iri) => {
  let best = null;
  for (const [prefix, namespace] of Object.entries(data.prefixes)) {
    if (iri.startsWith(namespace) && (!best || namespace.length > best[1].length)) best = [prefix, namespace];
  }
  if (!best) return null;
  const local = iri.slice(best[1].length);
  return /^[\p{L}\p{N}_][\p{L}\p{N}_-]*$/u.test(local) ? best[0] + ":" + local : null;
};
const chinese = /^zh\b/i.test(document.documentElement.lang);
const say = (english, words) => (chinese ? words : english);

const names = [];
for (const [iri, [, label, others]] of Object.entries(data.things)) {
  const short = shorten(iri);
  if (!short) continue;
  names.push({ label: short, detail: label, type: "variable" });
  // A name in any language is typed as it is known, and becomes the CURIE.
  for (const name of [label, ...(others ?? [])]) {
    if (name !== short) names.push({ label: name, detail: short, apply: short, type: "text", boost: -1 });
  }
}
for (const word of "SELECT CONSTRUCT ASK DESCRIBE WHERE FILTER OPTIONAL UNION MINUS GRAPH VALUES BIND ORDER BY GROUP BY HAVING LIMIT OFFSET DISTINCT PREFIX LANG STR COUNT SUM".split(" ")) {
  names.push({ label: word, type: "keyword" });
}
const complete = (context) => {
  const word = context.matchBefore(/[\p{L}\p{N}_:-]+/u);
  const least = word && /\p{Script=Han}/u.test(word.text) ? 1 : 2;
  if (!word || (word.to - word.from < least && !context.explicit)) return null;
  return { from: word.from, options: names, validFor: /^[\p{L}\p{N}_:-]*$/u };
};

// What was typed outlives a reload. A browser can refuse to keep it; then the page works without.
const KEPT = "kgq-query " + location.pathname;
const remember = (query) => {
  try { sessionStorage.setItem(KEPT, query); } catch { /* It is not kept. */ }
};
const remembered = () => {
  try { return sessionStorage.getItem(KEPT); } catch { return null; }
};

const text = (query) => query.replace(/^#\+.*\n/gm, "").trim() + "\n";
const first = data.queries[0] ? text(data.queries[0].text) : "SELECT * WHERE { ?s ?p ?o } LIMIT 20\n";

const view = new EditorView({
  parent: document.getElementById("editor"),
  state: EditorState.create({
    doc: first,
    extensions: [
      lineNumbers(), history(), drawSelection(), highlightActiveLine(), indentOnInput(), bracketMatching(),
      StreamLanguage.define(sparql), syntaxHighlighting(look),
      autocompletion({ override: [complete] }),
      EditorView.updateListener.of((update) => {
        if (!update.docChanged) return;
        remember(update.state.doc.toString());
        // The address names a query only as long as it is that query.
        if (update.transactions.some((each) => each.isUserEvent("input") || each.isUserEvent("delete")) && location.hash) {
          window.history.replaceState(null, "", location.pathname + location.search);
        }
      }),
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({ "aria-label": "SPARQL query" }),
      keymap.of([{ key: "Mod-Enter", run: () => { ask(); return true; } }, ...defaultKeymap, ...historyKeymap]),
    ],
  }),
});

for (const query of data.queries) {
  const option = document.createElement("option");
  option.value = query.name;
  option.textContent = query.title;
  canned.append(option);
}
const load = (name) => {
  const query = data.queries.find((q) => q.name === name);
  if (!query) return;
  canned.value = name;
  view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text(query.text) } });
};
canned.addEventListener("change", () => { load(canned.value); });
canned.disabled = false;
const asked = decodeURIComponent(location.hash.slice(1));
if (asked.startsWith("query=")) view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: asked.slice(6) } });
else if (asked) load(asked);
else {
  const kept = remembered();
  if (kept) view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: kept } });
  else load(data.queries[0] ? data.queries[0].name : "");
}

const written = () => view.state.doc.toString();

let worker = null;
let ready = false;
let started = 0;

const begin = () => {
  if (location.protocol === "file:") {
    state.textContent = say("This page needs a web server: a browser loads no data into a page that was opened from disk. All other pages work so.", "本页需要网页服务器：从磁盘打开的页面，浏览器不加载数据。其他页面都可直接打开。");
    return;
  }
  ready = false;
  worker = new Worker("assets/ask-worker.js");
  worker.addEventListener("message", ({ data: message }) => {
    if (message.kind === "ready") {
      ready = true;
      state.textContent = message.size.toLocaleString() + say(" statements loaded", " 条陈述已加载");
    } else if (message.kind === "answer") {
      show(message);
    } else if (message.kind === "failed") {
      result.replaceChildren(element("p", "failed", explained(message.message, written(), data, say)));
      state.textContent = "";
    }
    busy(false);
  });
  worker.addEventListener("error", (event) => {
    busy(false);
    state.textContent = say("The graph could not be loaded: ", "图无法加载：") + event.message;
  });
  busy(true);
  state.textContent = say("Loading the graph…", "正在加载图…");
  worker.postMessage({ kind: "load", wasm: new URL("assets/oxigraph.wasm", location.href).href, dump: new URL(data.dump, location.href).href, base: data.base });
};
const busy = (is) => {
  run.disabled = is;
  stop.hidden = !is || !ready;
};
const ask = () => {
  if (!worker || run.disabled) return;
  started = performance.now();
  state.textContent = say("Asking…", "正在查询…");
  result.replaceChildren();
  busy(true);
  worker.postMessage({ kind: "ask", query: whole(written(), data.prefixes) });
};
run.addEventListener("click", ask);
// A query that runs cannot be asked to stop; its worker can be ended, and another begun.
stop.addEventListener("click", () => {
  worker.terminate();
  result.replaceChildren();
  begin();
});

const element = (name, kind, content) => {
  const out = document.createElement(name);
  if (kind) out.className = kind;
  if (content !== undefined) out.textContent = content;
  return out;
};
const web = (iri) => /^(https?:\/\/|mailto:)/i.test(iri);
const numeric = (term) => /#(integer|decimal|double|float|int|long|nonNegativeInteger)$/.test(term.datatype ?? "");
const cell = (term) => {
  if (!term) return element("span", "muted", "–");
  if (term.type === "uri") {
    const known = data.things[term.value];
    const words = known ? known[1] : shorten(term.value) ?? term.value;
    if (!known && !web(term.value)) return element("span", "", words);
    const link = element("a", known ? "" : "external", words);
    link.href = known ? known[0] : term.value;
    link.title = term.value;
    if (!known) link.rel = "external noopener";
    return link;
  }
  const out = element("span");
  const bdi = element("bdi", "text", term.value);
  if (term.language) bdi.lang = term.language;
  out.append(bdi);
  if (term.language) out.append(" ", element("span", "tag", term.language));
  return out;
};
const save = (name, type, content) => {
  const link = element("a", "", name);
  link.download = name;
  link.href = "data:" + type + ";charset=utf-8," + encodeURIComponent(content);
  const item = element("li");
  item.append(link);
  return item;
};
const show = ({ answer }) => {
  const time = (performance.now() - started).toFixed(0) + " ms";
  if (answer.boolean !== undefined) {
    result.replaceChildren(element("p", "truth", answer.boolean ? say("Yes", "是") : say("No", "否")));
    state.textContent = time;
    return;
  }
  const { columns, rows } = answer;
  if (rows.length === 0) {
    state.textContent = time;
    result.replaceChildren(element("p", "muted", why(written(), data, shorten, say)));
    return;
  }
  state.textContent = (chinese ? rows.length.toLocaleString() + " 行，" : rows.length === 1 ? "1 row in " : rows.length.toLocaleString() + " rows in ") + time;
  const table = element("table", "answer");
  const head = element("tr");
  for (const column of columns) {
    const at = columns.indexOf(column);
    const numbers = rows.every((row) => !row[at] || numeric(row[at]));
    const th = element("th", numbers ? "number" : "", column);
    th.scope = "col";
    head.append(th);
  }
  const thead = element("thead");
  thead.append(head);
  const tbody = element("tbody");
  for (const row of rows.slice(0, MOST)) {
    const tr = element("tr");
    for (const term of row) {
      const td = element("td", term && numeric(term) ? "number" : "");
      td.append(cell(term));
      tr.append(td);
    }
    tbody.append(tr);
  }
  table.append(thead, tbody);
  const scroll = element("div", "scroll");
  scroll.tabIndex = 0;
  scroll.setAttribute("role", "group");
  scroll.setAttribute("aria-label", say("The answer as a table", "答案（表）"));
  scroll.append(table);
  const links = element("ul", "links");
  links.append(save("answer.csv", "text/csv", answer.csv));
  result.replaceChildren(scroll, links);
  if (rows.length > MOST) result.append(element("p", "muted", say("and ", "另有 ") + (rows.length - MOST) + say(" more rows in the download", " 行，见下载文件")));
};

begin();

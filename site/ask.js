// The query page: an editor, the canned queries, and a worker that answers over the published dump.
import { autocompletion } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { HighlightStyle, StreamLanguage, bracketMatching, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { sparql } from "@codemirror/legacy-modes/mode/sparql";
import { EditorState } from "@codemirror/state";
import { EditorView, drawSelection, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";

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
const names = [];
for (const [iri, [, label]] of Object.entries(data.things)) {
  const short = shorten(iri);
  if (short) names.push({ label: short, detail: label, type: "variable" });
}
for (const word of "SELECT CONSTRUCT ASK DESCRIBE WHERE FILTER OPTIONAL UNION MINUS GRAPH VALUES BIND ORDER BY GROUP BY HAVING LIMIT OFFSET DISTINCT PREFIX LANG STR COUNT SUM".split(" ")) {
  names.push({ label: word, type: "keyword" });
}
const complete = (context) => {
  const word = context.matchBefore(/[\p{L}\p{N}_:-]+/u);
  if (!word || (word.to - word.from < 2 && !context.explicit)) return null;
  return { from: word.from, options: names, validFor: /^[\p{L}\p{N}_:-]*$/u };
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
else load(asked || (data.queries[0] ? data.queries[0].name : ""));

// A prefix that the site knows needs no declaration. Those added stand on the first line, and errors there are told without them.
let added = 0;
const whole = (query) => {
  const declared = new Set([...query.matchAll(/\bPREFIX\s+([\p{L}\p{N}_.-]*):/giu)].map((m) => m[1]));
  let out = "";
  for (const [prefix, namespace] of Object.entries(data.prefixes)) {
    if (!declared.has(prefix) && query.includes(prefix + ":")) out += "PREFIX " + prefix + ": <" + namespace + "> ";
  }
  added = out.length;
  return out + query;
};
const placed = (message) => message.replace(/\bat 1:(\d+)/, (_, column) => "at 1:" + Math.max(1, column - added));

let worker = null;
let ready = false;
let started = 0;

const begin = () => {
  if (location.protocol === "file:") {
    state.textContent = "This page needs a web server: a browser loads no data into a page that was opened from disk. All other pages work so.";
    return;
  }
  ready = false;
  worker = new Worker("assets/ask-worker.js");
  worker.addEventListener("message", ({ data: message }) => {
    if (message.kind === "ready") {
      ready = true;
      state.textContent = message.size.toLocaleString() + " statements loaded";
    } else if (message.kind === "answer") {
      show(message);
    } else if (message.kind === "failed") {
      result.replaceChildren(element("p", "failed", placed(message.message)));
      state.textContent = "";
    }
    busy(false);
  });
  worker.addEventListener("error", (event) => {
    busy(false);
    state.textContent = "The graph could not be loaded: " + event.message;
  });
  busy(true);
  state.textContent = "Loading the graph…";
  worker.postMessage({ kind: "load", wasm: new URL("assets/oxigraph.wasm", location.href).href, dump: new URL(data.dump, location.href).href, base: data.base });
};
const busy = (is) => {
  run.disabled = is;
  stop.hidden = !is || !ready;
};
const ask = () => {
  if (!worker || run.disabled) return;
  started = performance.now();
  state.textContent = "Asking…";
  result.replaceChildren();
  busy(true);
  worker.postMessage({ kind: "ask", query: whole(view.state.doc.toString()) });
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
    result.replaceChildren(element("p", "truth", answer.boolean ? "Yes" : "No"));
    state.textContent = time;
    return;
  }
  const { columns, rows } = answer;
  state.textContent = (rows.length === 1 ? "1 row" : rows.length.toLocaleString() + " rows") + " in " + time;
  const table = element("table", "answer");
  const head = element("tr");
  for (const column of columns) {
    const th = element("th", "", column);
    th.scope = "col";
    head.append(th);
  }
  const thead = element("thead");
  thead.append(head);
  const tbody = element("tbody");
  for (const row of rows.slice(0, MOST)) {
    const tr = element("tr");
    for (const term of row) {
      const td = element("td");
      td.append(cell(term));
      tr.append(td);
    }
    tbody.append(tr);
  }
  table.append(thead, tbody);
  const scroll = element("div", "scroll");
  scroll.tabIndex = 0;
  scroll.setAttribute("role", "group");
  scroll.setAttribute("aria-label", "The answer as a table");
  scroll.append(table);
  const links = element("ul", "links");
  links.append(save("answer.csv", "text/csv", answer.csv));
  result.replaceChildren(scroll, links);
  if (rows.length > MOST) result.append(element("p", "muted", "and " + (rows.length - MOST) + " more rows in the download"));
};

begin();

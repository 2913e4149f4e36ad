// Oxigraph over the published dump, apart from the page so that a long query does not freeze it.
import init, { Store } from "oxigraph/web.js";

let store = null;

const plain = (term) => {
  if (!term) return null;
  switch (term.termType) {
    case "NamedNode": return { type: "uri", value: term.value };
    case "BlankNode": return { type: "bnode", value: "_:" + term.value };
    case "Literal": return { type: "literal", value: term.value, language: term.language, datatype: term.datatype.value };
    case "Quad": return { type: "triple", value: "<<( " + [term.subject, term.predicate, term.object].map(String).join(" ") + " )>>" };
    default: return { type: "other", value: String(term) };
  }
};
// A cell that a spreadsheet would take for a formula is still what the graph holds: RFC 4180, no more.
const field = (term) => {
  const value = term ? term.value : "";
  return /[",\r\n]/.test(value) ? '"' + value.replaceAll('"', '""') + '"' : value;
};

const load = async ({ wasm, dump, base }) => {
  await init({ module_or_path: wasm });
  const response = await fetch(dump);
  if (!response.ok) throw new Error(dump + ": " + response.status);
  store = new Store();
  store.load(await response.text(), { format: "application/n-quads", base_iri: base, lenient: true });
  return { kind: "ready", size: store.size };
};

const ask = ({ query }) => {
  const found = store.query(query);
  if (typeof found === "boolean") return { kind: "answer", answer: { boolean: found } };
  let columns = [];
  let rows = [];
  if (Array.isArray(found) && found[0] && found[0].termType === "Quad") {
    columns = ["subject", "predicate", "object"];
    rows = found.map((quad) => [quad.subject, quad.predicate, quad.object].map(plain));
  } else {
    // Which columns there are is told by the query's own head; unbound ones are in no row.
    const head = JSON.parse(store.query(query, { results_format: "json" })).head;
    columns = (head && head.vars) || [];
    rows = found.map((row) => columns.map((column) => plain(row.get(column))));
  }
  const csv = [columns, ...rows].map((row, i) => row.map((value) => (i === 0 ? field({ value }) : field(value))).join(",")).join("\r\n") + "\r\n";
  return { kind: "answer", answer: { columns, rows, csv } };
};

self.addEventListener("message", async ({ data }) => {
  try {
    self.postMessage(data.kind === "load" ? await load(data) : ask(data));
  } catch (error) {
    self.postMessage({ kind: "failed", message: String(error.message ?? error) });
  }
});

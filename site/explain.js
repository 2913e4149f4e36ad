// What the query page says of a query: the prefixes that it leaves out, where an error is, why an answer may be empty. It knows no page,
// so that tests can ask it alone. `say` chooses between English and Chinese.

const declared = (query) => [...query.matchAll(/\bPREFIX\s+([\p{L}\p{N}_.-]*):/giu)].map((m) => m[1]);

const added = (query, prefixes) => {
  const own = new Set(declared(query));
  let out = "";
  for (const [prefix, namespace] of Object.entries(prefixes)) {
    if (!own.has(prefix) && query.includes(prefix + ":")) out += "PREFIX " + prefix + ": <" + namespace + "> ";
  }
  return out;
};

// A prefix that the site knows needs no declaration. Those added stand on the first line, and errors there are told without them.
export const whole = (query, prefixes) => added(query, prefixes) + query;

// An error as kgq tells it: the place, the line with a mark below, what to do.
export const explained = (message, query, { prefixes }, say) => {
  const found = message.match(/\bat (\d+):(\d+)/);
  const used = query.match(/(?:^|[\s({;,.^/|])([\p{L}][\p{L}\p{N}_.-]*):[\p{L}\p{N}_]/gu) ?? [];
  const known = new Set([...Object.keys(prefixes), ...declared(query)]);
  const unknown = used.map((m) => m.trim().replace(/^[({;,.^/|]/, "").split(":")[0]).find((name) => !known.has(name));
  const hint = unknown ? "\n  " + say("hint: ", "提示：") + say(`no prefix ${unknown} is known; declare it: PREFIX ${unknown}: <…>`, `未知前缀 ${unknown}；请声明：PREFIX ${unknown}: <…>`) : "";
  if (!found) return say("error: ", "错误：") + message + hint;
  const line = Number(found[1]);
  const column = line === 1 ? Math.max(1, Number(found[2]) - added(query, prefixes).length) : Number(found[2]);
  const written = query.split("\n")[line - 1] ?? "";
  const number = String(line);
  return `${line}:${column}: ${message.replace(/^.*?\bat \d+:\d+:?\s*/, "")}\n  ${number} | ${written}\n  ${" ".repeat(number.length)} | ${" ".repeat(column - 1)}^${hint}`;
};

// What may be the reason that nothing was found: a name that the graph does not have, or a text without its language.
export const why = (query, { prefixes, base, things }, shorten, say) => {
  const used = [...query.matchAll(/<([^<>\s]+)>/g)].map((m) => m[1]);
  for (const [, prefix, local] of query.matchAll(/(?:^|[\s({;,.^/|])([\p{L}][\p{L}\p{N}_-]*):([\p{L}\p{N}_][\p{L}\p{N}_-]*)/gu)) {
    if (prefixes[prefix]) used.push(prefixes[prefix] + local);
  }
  const absent = used.find((iri) => iri.startsWith(base) && !things[iri] && !Object.values(prefixes).includes(iri));
  const none = say("No row answers it. ", "没有符合的行。");
  if (absent) return none + say("The graph has no ", "图中没有 ") + (shorten(absent) ?? absent) + say(".", "。");
  if (/"[^"]*"(?!@|\^\^)/.test(query)) return none + say("A text with a language, such as \"a\"@en, is not the same as one without.", "带语言标记的文本（如 \"甲\"@zh）与不带的不同。");
  return none + say("Leave out one pattern or filter after the other to see which finds nothing.", "逐个去掉模式或过滤条件，看哪一个没有结果。");
};

// Walks a graph's site at a running `kgq serve` in a headless Chromium: pages by following links, at two widths, each light and dark, without a
// message on the console, without a request to anywhere else, with axe; every canned query in its form; queries in the page that asks,
// right ones, wrong ones and empty ones; names completed; search; screenshots where asked.
//
//   node served.mjs ADDRESS [--pages N] [--search WORD]… [--shots DIR]
//
// Says "skipped: …" and succeeds where there is no browser.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { browsing, options, report, retype, tooWide, violations, watched } from "./browser.mjs";

const root = new URL(process.argv[2] ?? "http://127.0.0.1:7878/").href;
const most = Number(options("--pages")[0] ?? 120);
const [shots] = options("--shots");
if (shots) await mkdir(shots, { recursive: true });
const wrong = [];
let here = "";
let page;
const tell = (what) => wrong.push(`${here}: ${what}`);

const open = async (address) => {
  here = address;
  await page.goto(root + address, { waitUntil: "domcontentloaded" });
  await page.waitForFunction(() => document.readyState === "complete");
};
const look = async (scheme, width) => {
  await page.setViewport({ width, height: 900 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
};
const audit = async () => {
  for (const [scheme, width] of [["light", 1280], ["dark", 1280], ["dark", 390], ["light", 390]]) {
    await look(scheme, width);
    const wide = await tooWide(page);
    if (wide > 0) tell(`${wide} px too wide at ${width} px`);
    for (const each of await violations(page)) tell(`axe (${scheme}, ${width} px) ${each}`);
  }
  await look("light", 1280);
};
const shoot = async (name) => {
  if (!shots) return;
  for (const [scheme, width] of [["light", 1280], ["dark", 390]]) {
    await look(scheme, width);
    await page.screenshot({ path: join(shots, `${name.replace(/[^a-z0-9-]+/gi, "_").slice(0, 60)}-${width}-${scheme}.png`), fullPage: false });
  }
  await look("light", 1280);
};
const address = (link) => link.slice(root.length).split("#")[0];

// Pages, as links lead to them; of each folder the first few.
const walk = async () => {
  const seen = new Set();
  const waiting = [""];
  const queries = new Set();
  const folders = new Map();
  while (waiting.length > 0 && seen.size < most) {
    const next = waiting.shift();
    if (seen.has(next)) continue;
    seen.add(next);
    await open(next);
    await audit();
    for (const link of await page.$$eval("a[href]:not([download])", (found) => found.map((each) => each.href?.baseVal ?? each.href))) {
      if (typeof link !== "string" || !link.startsWith(root)) continue;
      const target = address(link);
      if (/[?&](lang|format|query)=/.test(target) || /\.[a-z]+$/.test(target.split("?")[0]) || target.endsWith("SHA256SUMS")) continue;
      if (target.startsWith("query/")) { queries.add(target); continue; }
      const folder = target.includes("?") ? "?" : target.split("/").slice(0, -1).join("/");
      const count = folders.get(folder) ?? 0;
      if (!seen.has(target) && !waiting.includes(target) && count < 6) {
        folders.set(folder, count + 1);
        waiting.push(target);
      }
    }
  }
  console.log(`${seen.size} pages walked`);
  return [...queries].sort();
};

const forms = async (queries) => {
  let rows = 0;
  for (const [number, query] of queries.entries()) {
    await open(query);
    if (number % 8 === 0) await audit();
    const button = await page.$("form.fields button[type=submit]");
    if (button) await Promise.all([page.waitForNavigation({ waitUntil: "load" }), button.click()]);
    here = page.url().slice(root.length);
    for (const failed of await page.$$eval(".wrong", (found) => found.map((each) => each.textContent))) tell(`the form answers: ${failed}`);
    rows += (await page.$$("table.answer tbody tr")).length;
  }
  console.log(`${queries.length} canned queries asked in their forms, ${rows} rows`);
};

const type = (text) => retype(page, "#query", text);
const run = async () => {
  await page.click("#run");
  await page.waitForFunction(() => !document.getElementById("run").disabled && document.getElementById("result").children.length > 0, { timeout: 60000 });
};
const text = () => page.$eval("#result", (each) => each.textContent);
const asking = async () => {
  await open("ask");
  await type("SELECT ?s ?label WHERE { ?s rdfs:label ?label } LIMIT 30");
  await page.keyboard.press("Escape");
  await run();
  if ((await page.$$("#result tbody tr")).length !== 30) tell(`30 rows were asked for: ${await text()}`);
  if (!page.url().includes("query=SELECT")) tell("the address does not keep the query");
  await page.click("#result th:nth-child(2) button");
  if ((await page.$eval("#result th:nth-child(2)", (each) => each.ariaSort)) !== "ascending") tell("a column does not sort");
  await audit();
  await shoot("ask-answer");
  await page.reload({ waitUntil: "load" });
  if ((await page.$$("#result tbody tr")).length !== 30) tell("a link to an answer has none");
  await type("SELECT * WHERE {\n  ?s rdfs:labl ?label .\n  ?s ?p }\n");
  await page.keyboard.press("Escape");
  await run();
  const place = await page.$eval("#result .failure", (each) => each.dataset.line).catch(() => null);
  if (place !== "3") tell(`the mistake stands in line 3: ${await text()}`);
  await audit();
  await shoot("ask-mistake");
  await type("SELECT * WHERE { ?s rdfs:label 'no such name anywhere' }");
  await page.keyboard.press("Escape");
  await run();
  if (!(await page.$("#result .reasons"))) tell(`an empty answer has no reason: ${await text()}`);
  await audit();
  await shoot("ask-empty");
  if ((await page.$$("#history li")).length < 3) tell("what was asked is not remembered");
};
const completing = async (word) => {
  await open("ask");
  await type(`SELECT * WHERE { ?s ?p ${word}`);
  const come = await page.waitForSelector(".suggest li", { visible: true, timeout: 10000 }).catch(() => null);
  if (!come) { tell(`nothing completes ${word}`); return; }
  await shoot("ask-complete-" + word);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  const written = await page.$eval("#query", (each) => each.value);
  console.log(`${word} completed: ${written}`);
  if (written.endsWith(word)) tell(`${word} is not completed`);
};
const searching = async (word) => {
  await open("data");
  await page.type(".find input", word);
  const come = await page.waitForSelector("#found [role=option]", { timeout: 10000 }).catch(() => null);
  if (!come) { tell(`search finds no ${word}`); return; }
  await shoot("search-" + word);
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  console.log(`search ${word}: ${await page.title()}`);
};

await browsing(async (browser) => {
  page = await watched(browser, [root, "data:"], tell);
  await look("light", 1280);
  const queries = await walk();
  for (const path of ["", "queries", "data", "ontology", ...queries.slice(0, 2), "ask", ...options("--shot")]) {
    const there = await fetch(root + path, { headers: { accept: "text/html" } });
    if (!there.ok) continue;
    await open(path);
    await shoot(path || "first");
    await open(path + (path.includes("?") ? "&" : "?") + "lang=zh");
    await shoot((path || "first") + "-zh");
  }
  await forms(queries);
  await asking();
  for (const word of options("--search")) {
    await searching(word);
    await completing(word);
  }
});
report(wrong);

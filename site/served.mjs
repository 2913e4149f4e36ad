// Walks a graph's site at a running `kgq serve` in a headless Chromium: pages by following links, at two widths, light and dark, without a
// message on the console, without a request to anywhere else, with axe; every canned query in its form; queries in the page that asks,
// right ones, wrong ones and empty ones; names completed; search; screenshots where asked.
//
//   node served.mjs ADDRESS [--pages N] [--search WORD]… [--shots DIR]
//
// Says "skipped: …" and succeeds where there is no browser.
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const require = createRequire(import.meta.url);
const root = new URL(process.argv[2] ?? "http://127.0.0.1:7878/").href;
const option = (name) => process.argv.flatMap((word, i) => (process.argv[i - 1] === name ? [word] : []));
const browserPath = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => path && existsSync(path));
let puppeteer;
try {
  puppeteer = (await import("puppeteer-core")).default;
} catch {
  console.log("skipped: puppeteer-core is not installed; `npm ci` installs it");
  process.exit(0);
}
if (!browserPath) {
  console.log("skipped: there is no Chromium");
  process.exit(0);
}
const most = Number(option("--pages")[0] ?? 120);
const shots = option("--shots")[0];
if (shots) await mkdir(shots, { recursive: true });
const axe = await readFile(require.resolve("axe-core/axe.min.js"), "utf8");
const profile = await mkdtemp(join(tmpdir(), "served-"));
const browser = await puppeteer.launch({
  executablePath: browserPath,
  userDataDir: profile,
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run"],
});
const wrong = [];
const page = await browser.newPage();
let here = "";
const tell = (what) => wrong.push(`${here}: ${what}`);
page.on("console", (message) => { if (["error", "warn", "warning"].includes(message.type())) tell(`console: ${message.text()}`); });
page.on("pageerror", (error) => tell(error.message));
page.on("request", (request) => {
  const url = request.url();
  if (!url.startsWith(root) && !url.startsWith("data:")) tell(`asked for ${url}`);
});
page.on("response", (response) => { if (response.status() >= 400) tell(`${response.status()} ${response.url()}`); });

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
  for (const [scheme, width] of [["light", 1280], ["dark", 390]]) {
    await look(scheme, width);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (wide > 0) tell(`${wide} px too wide at ${width} px`);
    // The page's policy lets no script in; the tool's own is let in by the tool.
    await page.evaluate(axe);
    const found = await page.evaluate(async () => (await window.axe.run(document, { resultTypes: ["violations"] })).violations.map((v) => `${v.id}: ${v.nodes.length} × ${v.nodes[0].html.slice(0, 140)} ${v.nodes[0].failureSummary}`));
    for (const each of found) tell(`axe (${scheme}, ${width} px) ${each}`);
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

const type = async (text) => {
  await page.click("#query");
  await page.keyboard.down("Control");
  await page.keyboard.press("a");
  await page.keyboard.up("Control");
  await page.keyboard.type(text);
};
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

try {
  await look("light", 1280);
  const queries = await walk();
  for (const path of ["", "queries", "data", "ontology", ...queries.slice(0, 2), "ask", ...option("--shot")]) {
    const there = await fetch(root + path, { headers: { accept: "text/html" } });
    if (!there.ok) continue;
    await open(path);
    await shoot(path || "first");
    await open(path + (path.includes("?") ? "&" : "?") + "lang=zh");
    await shoot((path || "first") + "-zh");
  }
  await forms(queries);
  await asking();
  for (const word of option("--search")) {
    await searching(word);
    await completing(word);
  }
} finally {
  await browser.close();
  await rm(profile, { recursive: true, force: true });
}
const once = [...new Set(wrong)];
for (const line of once.slice(0, 60)) console.log("wrong: " + line);
if (once.length > 0) {
  console.log(`${once.length} wrong`);
  process.exit(1);
}

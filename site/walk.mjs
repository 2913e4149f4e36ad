// Walks a published site in a headless Chromium, from disk and from a local server: every page without a message on the console, without a
// request to anywhere else, without a link that leads nowhere; search; the query page; accessibility by axe; screenshots where asked.
//
//   node walk.mjs SITE [--search WORD]… [--pages N] [--audit N] [--shots DIR [--shot PAGE]…]
//
// N pages are a sample: all pages unless said otherwise, and 40 for axe, which is slow.
//
// Says "skipped: …" and succeeds where there is no browser.
import { createServer } from "node:http";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, readdir, rm, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, extname, join, relative, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(import.meta.url);
const site = resolve(process.argv[2] ?? "site");
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

const all = [];
const collect = async (folder) => {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await collect(path);
    else if (entry.name.endsWith(".html")) all.push(relative(site, path).split(sep).join("/"));
  }
};
await collect(site);
all.sort();
// A sample takes every n-th page, so that each kind is in it, and all pages at the top.
const sampled = (list, most) => list.filter((path, i) => !path.includes("/") || i % Math.ceil(list.length / most) === 0);
const pages = sampled(all, Number(option("--pages")[0] ?? all.length));

const types = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".wasm": "application/wasm", ".nq": "application/n-quads", ".ttl": "text/turtle", ".jsonld": "application/ld+json", ".json": "application/json", ".nt": "application/n-triples" };
const server = createServer(async (request, response) => {
  const path = resolve(site, "." + decodeURIComponent(new URL(request.url, "http://x").pathname));
  try {
    if (path !== site && !path.startsWith(site + sep)) throw new Error("outside");
    const file = (await stat(path)).isDirectory() ? join(path, "index.html") : path;
    const body = await readFile(file);
    response.writeHead(200, { "content-type": types[extname(file)] ?? "application/octet-stream" });
    response.end(body);
  } catch {
    response.writeHead(404).end("not there");
  }
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const served = `http://127.0.0.1:${server.address().port}/`;

const profile = await mkdtemp(join(tmpdir(), "walk-"));
const browser = await puppeteer.launch({
  executablePath: browserPath,
  userDataDir: profile,
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run"],
});
const wrong = [];
const open = async (root) => {
  const page = await browser.newPage();
  await page.setViewport({ width: 1280, height: 900 });
  page.here = "";
  page.on("console", (message) => {
    if (["error", "warn", "warning"].includes(message.type())) wrong.push(`${page.here}: console: ${message.text()}`);
  });
  page.on("pageerror", (error) => wrong.push(`${page.here}: ${error.message}`));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(root) && !url.startsWith("data:") && !url.startsWith("blob:")) wrong.push(`${page.here}: asked for ${url}`);
  });
  page.on("requestfailed", (request) => wrong.push(`${page.here}: failed: ${request.url()}`));
  page.on("response", (response) => {
    if (response.status() >= 400) wrong.push(`${page.here}: ${response.status()} ${response.url()}`);
  });
  return page;
};

const known = new Set();
const files = async (folder) => {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await files(join(folder, entry.name));
    else known.add(relative(site, join(folder, entry.name)).split(sep).join("/"));
  }
};
await files(site);
const axe = await readFile(require.resolve("axe-core/axe.min.js"), "utf8");

const walk = async (root, list, { audit }) => {
  const page = await open(root);
  for (const path of list) {
    page.here = root.slice(0, 5) + " " + path;
    await page.goto(root + path, { waitUntil: "load" });
    const links = await page.$$eval("a[href], link[href], script[src]", (found) => found.map((e) => (e.href?.baseVal ? new URL(e.href.baseVal, location.href).href : e.href) || e.src));
    for (const link of links) {
      if (!link.startsWith(root)) continue;
      const target = decodeURIComponent(link.slice(root.length).split(/[#?]/)[0]);
      if (!known.has(target)) wrong.push(`${page.here}: leads to ${link}, which is not there`);
    }
    if (audit) {
      for (const scheme of ["light", "dark"]) {
        await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
        // The page's policy lets no script in; the tool's own is let in by the tool.
        await page.evaluate(axe);
        const result = await page.evaluate(async () => (await window.axe.run(document, { resultTypes: ["violations"] })).violations.map((v) => `${v.id}: ${v.nodes.length} × ${v.nodes[0].html.slice(0, 140)} ${v.nodes[0].failureSummary}`));
        for (const found of result) wrong.push(`${page.here} (${scheme}): axe ${found}`);
      }
    }
  }
  await page.close();
};
const search = async (root, word) => {
  const page = await open(root);
  page.here = root.slice(0, 5) + " search " + word;
  await page.goto(root + "index.html", { waitUntil: "load" });
  await page.type("#search", word);
  await new Promise((done) => setTimeout(done, 100));
  const found = await page.$$eval("#found li", (items) => items.map((item) => item.textContent));
  if (found.length === 0) wrong.push(`${page.here}: found nothing`);
  console.log(`search ${word}: ${found.length} found, first: ${found[0]}`);
  await page.close();
};

const asking = async () => {
  if (!known.has("ask.html")) {
    console.log("skipped: the site has no query page");
    return;
  }
  const page = await open(served);
  page.here = "ask";
  const settled = () => page.waitForFunction(() => !document.getElementById("run").disabled, { timeout: 60000 });
  const answer = async (what) => {
    await page.click("#run");
    await settled();
    const rows = await page.$$eval("#result tbody tr", (found) => found.length);
    const state = await page.$eval("#state", (e) => e.textContent);
    const failed = await page.$$eval("#result .failed", (found) => found.map((e) => e.textContent));
    console.log(`${what}: ${state}`);
    if (rows === 0 || failed.length > 0) wrong.push(`ask: ${what} has no answer: ${failed.join(" ")}`);
  };
  await page.goto(served + "ask.html", { waitUntil: "load" });
  await settled();
  for (const option of await page.$$eval("#canned option", (found) => found.map((e) => e.value).filter(Boolean))) {
    if (option.startsWith("checks/")) continue;
    await page.select("#canned", option);
    await page.click("#run");
    await settled();
    const failed = await page.$$eval("#result .failed", (found) => found.map((e) => e.textContent));
    if (failed.length > 0) wrong.push(`ask: ${option}: ${failed.join(" ")}`);
  }
  await page.goto(served + "ask.html", { waitUntil: "load" });
  await settled();
  await answer("a canned query");
  await page.click(".cm-content");
  await page.keyboard.down("Control");
  await page.keyboard.press("a");
  await page.keyboard.up("Control");
  await page.keyboard.type("SELECT ?s ?label WHERE ");
  await page.keyboard.type("{ ?s rdfs:label ?label }");
  await page.keyboard.press("Escape");
  await answer("a query typed by hand");
  await page.close();
};

const shots = async (folder) => {
  await mkdir(folder, { recursive: true });
  const page = await open(served);
  const wanted = option("--shot").length > 0 ? option("--shot") : ["index.html", "queries.html", "data.html"];
  for (const path of wanted) {
    for (const width of [390, 820, 1440]) {
      for (const scheme of ["light", "dark"]) {
        await page.setViewport({ width, height: 900 });
        await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
        await page.goto(served + path, { waitUntil: "load" });
        await new Promise((done) => setTimeout(done, path === "ask.html" ? 2500 : 150));
        await page.screenshot({ path: join(folder, `${path.replaceAll("/", "-").replace(".html", "")}-${width}-${scheme}.png`), fullPage: true });
      }
    }
  }
  await page.close();
};

try {
  const started = Date.now();
  await walk(served, pages, { audit: false });
  await walk(pathToFileURL(site).href + "/", pages.filter((path) => path !== "ask.html" && path !== "404.html"), { audit: false });
  const sample = sampled(pages, Number(option("--audit")[0] ?? 40));
  await walk(served, sample, { audit: true });
  for (const word of option("--search")) {
    await search(served, word);
    await search(pathToFileURL(site).href + "/", word);
  }
  await asking();
  if (option("--shots")[0]) await shots(option("--shots")[0]);
  console.log(`${pages.length} of ${all.length} pages walked twice, ${sample.length} audited by axe in light and dark, in ${((Date.now() - started) / 1000).toFixed(0)} s`);
} finally {
  await browser.close();
  server.close();
  await rm(profile, { recursive: true, force: true });
}
const once = [...new Set(wrong)];
for (const line of once.slice(0, 60)) console.log("wrong: " + line);
if (once.length > 0) {
  console.log(`${once.length} wrong`);
  process.exit(1);
}

// Walks a published site in a headless Chromium, from disk and from a local server: every page without a message on the console, without a
// request to anywhere else, without a link that leads nowhere; search; the query page; accessibility by axe; screenshots where asked.
//
//   node walk.mjs SITE [--search WORD]… [--pages N] [--audit N] [--shots DIR [--shot PAGE]…]
//
// N pages are a sample: all pages unless said otherwise, and 40 for axe, which is slow.
//
// Says "skipped: …" and succeeds where there is no browser.
import { createServer } from "node:http";
import { mkdir, readFile, readdir, stat } from "node:fs/promises";
import { extname, join, relative, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { browsing, options, report, retype, violations, watched } from "./browser.mjs";

const site = resolve(process.argv[2] ?? "site");

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
const pages = sampled(all, Number(options("--pages")[0] ?? all.length));

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

const wrong = [];
let browser;
const open = async (root) => {
  let page;
  const tell = (what) => wrong.push(`${page?.here}: ${what}`);
  page = await watched(browser, [root, "data:", "blob:"], tell);
  page.here = "";
  page.on("requestfailed", (request) => tell(`failed: ${request.url()}`));
  await page.setViewport({ width: 1280, height: 900 });
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
        for (const found of await violations(page)) wrong.push(`${page.here} (${scheme}): axe ${found}`);
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
  await retype(page, ".cm-content", "SELECT ?s ?label WHERE ", "{ ?s rdfs:label ?label }");
  await page.keyboard.press("Escape");
  await answer("a query typed by hand");
  await page.close();
};

const shots = async (folder) => {
  await mkdir(folder, { recursive: true });
  const page = await open(served);
  const wanted = options("--shot").length > 0 ? options("--shot") : ["index.html", "queries.html", "data.html"];
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
  await browsing(async (own) => {
    browser = own;
    const started = Date.now();
    await walk(served, pages, { audit: false });
    await walk(pathToFileURL(site).href + "/", pages.filter((path) => path !== "ask.html" && path !== "404.html"), { audit: false });
    const sample = sampled(pages, Number(options("--audit")[0] ?? 40));
    await walk(served, sample, { audit: true });
    for (const word of options("--search")) {
      await search(served, word);
      await search(pathToFileURL(site).href + "/", word);
    }
    await asking();
    if (options("--shots")[0]) await shots(options("--shots")[0]);
    console.log(`${pages.length} of ${all.length} pages walked twice, ${sample.length} audited by axe in light and dark, in ${((Date.now() - started) / 1000).toFixed(0)} s`);
  });
} finally {
  server.close();
}
report(wrong);

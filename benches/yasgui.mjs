// Asks an endpoint by YASGUI in a headless Chromium, as a page that stands at another address, and prints the rows as SPARQL's JSON:
//
//   node yasgui.mjs FOLDER PORT ENDPOINT QUERY
//
// npm has installed `@zazuko/yasgui` and `puppeteer-core` in FOLDER; the page is served at PORT. Says "skipped: …" where there is no browser.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";

const [folder, port, endpoint, query] = process.argv.slice(2);
const require = createRequire(join(folder, "index.js"));
const programs = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = programs.find((path) => path && existsSync(path));
if (!executablePath) {
  console.log("skipped: there is no Chromium");
  process.exit(0);
}
const built = join(folder, "node_modules/@zazuko/yasgui/build");
const page = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><link rel="stylesheet" href="/yasgui.min.css"><div id="yasgui"></div><script src="/yasgui.min.js"></script>`;
const types = { js: "text/javascript", css: "text/css" };
const server = createServer(async (request, response) => {
  const name = request.url.slice(1);
  const type = types[name.split(".").pop()];
  const body = name === "" ? page : type && (await readFile(join(built, name)).catch(() => null));
  response.writeHead(body ? 200 : 404, { "Content-Type": name === "" ? "text/html" : type ?? "text/plain" });
  response.end(body ?? "");
});
await new Promise((listening) => server.listen(Number(port), "127.0.0.1", listening));
const browser = await require("puppeteer-core").launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--no-first-run"] });
try {
  const tab = await browser.newPage();
  const said = [];
  tab.on("console", (message) => { if (message.type() === "error") said.push(message.text()); });
  tab.on("pageerror", (error) => said.push(error.message));
  await tab.goto(`http://127.0.0.1:${port}/`, { waitUntil: "load" });
  const asked = tab.evaluate(async (endpoint, query) => {
    localStorage.clear();
    const yasgui = new window.Yasgui(document.getElementById("yasgui"), { requestConfig: { endpoint }, copyEndpointOnNewTab: false });
    const own = yasgui.getTab();
    own.setEndpoint(endpoint);
    own.getYasqe().setValue(query);
    const answered = new Promise((resolve) => own.getYasqe().on("queryResponse", resolve));
    await own.getYasqe().query();
    await answered;
    const results = own.getYasr().results;
    const failure = results.getError();
    if (failure) throw new Error(JSON.stringify(failure));
    const shown = document.querySelectorAll(".yasr table tbody tr").length;
    return { head: { vars: results.getVariables() }, results: { bindings: results.getBindings() }, shown };
  }, endpoint, query);
  const answer = await asked.catch((error) => { throw new Error([error.message, ...said].join("; ")); });
  if (answer.shown === 0) throw new Error("no row is shown");
  console.log(JSON.stringify(answer));
} finally {
  await browser.close();
  server.close();
}

// What the scripts beside this one begin and end with: a headless Chromium, a page that is watched for what must not happen, axe, and how
// it is told what went wrong.
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const require = createRequire(import.meta.url);
const programs = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

// The words of the command line that stand after this one.
export const options = (name) => process.argv.flatMap((word, i) => (process.argv[i - 1] === name ? [word] : []));

const skip = (why) => {
  console.log(`skipped: ${why}`);
  process.exit(0);
};

// Lets a browser with a profile of its own do something, and ends it, however that went. Says "skipped: …" and succeeds where there is none.
export const browsing = async (run) => {
  const puppeteer = await import("puppeteer-core").catch(() => skip("puppeteer-core is not installed; `npm ci` installs it"));
  const executablePath = programs.find((path) => path && existsSync(path)) ?? skip("there is no Chromium");
  const userDataDir = await mkdtemp(join(tmpdir(), "kgq-browser-"));
  try {
    const args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run"];
    const browser = await puppeteer.default.launch({ executablePath, userDataDir, args });
    try {
      await run(browser);
    } finally {
      await browser.close();
    }
  } finally {
    await rm(userDataDir, { recursive: true, force: true });
  }
};

// A page that tells of messages on its console, of errors, of answers that are refusals, and of requests for what begins with none of these.
export const watched = async (browser, own, tell) => {
  const page = await browser.newPage();
  page.on("console", (message) => { if (["error", "warn", "warning"].includes(message.type())) tell(`console: ${message.text()}`); });
  page.on("pageerror", (error) => tell(error.message));
  page.on("request", (request) => { if (!own.some((start) => request.url().startsWith(start))) tell(`asked for ${request.url()}`); });
  page.on("response", (response) => { if (response.status() >= 400) tell(`${response.status()} ${response.url()}`); });
  return page;
};

// How much wider than the window a page is.
export const tooWide = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

let axe;
// What axe finds wrong with a page, a line each.
export const violations = async (page) => {
  axe ??= await readFile(require.resolve("axe-core/axe.min.js"), "utf8");
  // The page's policy lets no script in; the tool's own is let in by the tool.
  await page.evaluate(axe);
  return page.evaluate(async () => (await window.axe.run(document, { resultTypes: ["violations"] })).violations.map((v) => `${v.id}: ${v.nodes.length} × ${v.nodes[0].html.slice(0, 140)} ${v.nodes[0].failureSummary}`));
};

// Types texts, one after the other, in the place of what a field holds.
export const retype = async (page, field, ...texts) => {
  await page.click(field);
  await page.keyboard.down("Control");
  await page.keyboard.press("a");
  await page.keyboard.up("Control");
  for (const text of texts) await page.keyboard.type(text);
};

// Says what is wrong, each once, and ends with 1 if anything is.
export const report = (wrong) => {
  const once = [...new Set(wrong)];
  for (const line of once.slice(0, 60)) console.log("wrong: " + line);
  if (once.length === 0) return;
  console.log(`${once.length} wrong`);
  process.exit(1);
};

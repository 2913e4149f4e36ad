// Corrects a fact by the form of a running `kgq serve --writable` in a headless Chromium: signs in, opens the form of a thing, changes the
// first value, looks at the difference, saves, and reads the thing again; with axe on every page, without a message on the console, without
// a request to anywhere else; once without scripts. Screenshots at two widths where asked.
//
//   node correct.mjs ADDRESS TOKEN IRI VALUE [--cite CITATION] [--message TEXT] [--shots DIR]
//
// Says "skipped: …" and succeeds where there is no browser.
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const require = createRequire(import.meta.url);
const [address, token, iri, value] = process.argv.slice(2);
const root = new URL(address).href;
const option = (name) => process.argv[process.argv.indexOf(name) + 1 || process.argv.length];
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
const shots = option("--shots");
if (shots) await mkdir(shots, { recursive: true });
const axe = await readFile(require.resolve("axe-core/axe.min.js"), "utf8");
const profile = await mkdtemp(join(tmpdir(), "correct-"));
const browser = await puppeteer.launch({
  executablePath: browserPath,
  userDataDir: profile,
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run"],
});
const wrong = [];
const page = await browser.newPage();
const tell = (what) => wrong.push(`${page.url()}: ${what}`);
page.on("console", (message) => { if (["error", "warn", "warning"].includes(message.type())) tell(`console: ${message.text()}`); });
page.on("pageerror", (error) => tell(error.message));
page.on("request", (request) => {
  const url = request.url();
  if (!url.startsWith(root) && !url.startsWith("data:")) tell(`asked for ${url}`);
});

const look = async (name) => {
  for (const width of [390, 1280]) {
    await page.setViewport({ width, height: 900 });
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (wider > 1) tell(`${wider} px wider than ${width}`);
    if (shots) await page.screenshot({ path: join(shots, `${name}-${width}.png`), fullPage: true });
  }
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa"] }));
  for (const violation of found.violations) tell(`axe: ${violation.id}: ${violation.nodes.map((node) => node.target).join(", ")}`);
};
const press = (selector) => Promise.all([page.waitForNavigation({ waitUntil: "load" }), page.click(selector)]);
const form = `edit?iri=${encodeURIComponent(iri)}`;

await page.goto(root + form, { waitUntil: "load" });
await look("login");
await page.type("#token", token);
await press('main button[type="submit"]');
if (!page.url().includes("/edit?iri=")) tell("signing in does not lead back to the form");
await look("form");
const cookies = await page.cookies();
if (!cookies.every((cookie) => cookie.httpOnly && cookie.sameSite === "Strict")) tell("a cookie that others could read or send");

// From here on as in a browser without scripts.
await page.setJavaScriptEnabled(false);
await page.goto(root + form, { waitUntil: "load" });
const fill = async (selector, text) => {
  await page.focus(selector);
  await page.keyboard.down("Control");
  await page.keyboard.press("a");
  await page.keyboard.up("Control");
  await page.keyboard.type(text);
};
await fill("#row-0", value);
if (option("--cite")) await fill("#c-0", option("--cite"));
await press('button[value="look"]');
await page.setJavaScriptEnabled(true);
if (!(await page.$(".difference ins"))) tell("no difference is shown");
await look("difference");
if (option("--message")) await page.type("#message", option("--message"));
await press('button[value="save"]');
if (!(await page.$('[role="status"]'))) tell("it is not said that it is saved");
await look("saved");
await page.goto(root + `about?iri=${encodeURIComponent(iri)}`, { waitUntil: "load" });
if (!(await page.content()).includes(value)) tell("the page of the thing does not say the new value");
await browser.close();
await rm(profile, { recursive: true, force: true });
wrong.forEach((what) => console.log(what));
console.log(wrong.length === 0 ? "corrected" : `${wrong.length} things are wrong`);
process.exit(wrong.length === 0 ? 0 : 1);

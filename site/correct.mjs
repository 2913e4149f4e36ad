// Corrects a fact by the form of a running `kgq serve --writable` in a headless Chromium: signs in, opens the form of a thing, changes the
// first value, looks at the difference, saves, and reads the thing again; with axe on every page, without a message on the console, without
// a request to anywhere else; once without scripts. Then makes a thing of a class, where one is named. Screenshots at two widths where asked.
//
//   node correct.mjs ADDRESS TOKEN IRI VALUE [--cite CITATION] [--message TEXT] [--make CLASS --label TEXT] [--shots DIR]
//
// Says "skipped: …" and succeeds where there is no browser.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { browsing, options, report, retype, tooWide, violations, watched } from "./browser.mjs";

const [address, token, iri, value] = process.argv.slice(2);
const root = new URL(address).href;
const [shots] = options("--shots");
if (shots) await mkdir(shots, { recursive: true });
const [cite] = options("--cite");
const [message] = options("--message");
const [make] = options("--make");
const [label] = options("--label");
const wrong = [];
const form = `edit?iri=${encodeURIComponent(iri)}`;

const correct = async (browser) => {
  let page;
  const tell = (what) => wrong.push(`${page?.url()}: ${what}`);
  page = await watched(browser, [root, "data:"], tell);
  const look = async (name) => {
    for (const width of [390, 1280]) {
      await page.setViewport({ width, height: 900 });
      const wider = await tooWide(page);
      if (wider > 0) tell(`${wider} px wider than ${width}`);
      if (shots) await page.screenshot({ path: join(shots, `${name}-${width}.png`), fullPage: true });
    }
    for (const found of await violations(page)) tell(`axe: ${found}`);
  };
  const press = (selector) => Promise.all([page.waitForNavigation({ waitUntil: "load" }), page.click(selector)]);

  await page.goto(root + form, { waitUntil: "load" });
  await look("login");
  await page.type("#token", token);
  await press('main button[type="submit"]');
  if (!page.url().includes("/edit?iri=")) tell("signing in does not lead back to the form");
  await look("form");
  await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
  await look("form-open");
  const cookies = await page.cookies();
  if (!cookies.every((cookie) => cookie.httpOnly && cookie.sameSite === "Strict")) tell("a cookie that others could read or send");

  // From here on as in a browser without scripts.
  await page.setJavaScriptEnabled(false);
  await page.goto(root + form, { waitUntil: "load" });
  await retype(page, "#row-0", value);
  if (cite) await retype(page, "#c-0", cite);
  await press('button[value="look"]');
  await page.setJavaScriptEnabled(true);
  if (!(await page.$(".difference ins"))) tell("no difference is shown");
  await look("difference");
  if (message) await page.type("#message", message);
  await press('button[value="save"]');
  if (!(await page.$('[role="status"]'))) tell("it is not said that it is saved");
  await look("saved");
  await page.goto(root + `about?iri=${encodeURIComponent(iri)}`, { waitUntil: "load" });
  if (!(await page.content()).includes(value)) tell("the page of the thing does not say the new value");

  if (!make) return;
  await page.goto(root + `edit?class=${encodeURIComponent(make)}`, { waitUntil: "load" });
  await look("new");
  await retype(page, "#row-0", label);
  await press('button[value="look"]');
  if (!(await page.$(".difference ins"))) tell("no difference is shown");
  await look("new-difference");
  await press('button[value="save"]');
  if (!(await page.$('[role="status"]'))) tell("it is not said that the new thing is saved");
};

await browsing(correct);
report(wrong);
console.log("corrected");

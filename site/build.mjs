// Bundles the query page into dist/: the editor, the worker that answers, Oxigraph's WebAssembly.
import { build } from "esbuild";
import { copyFile, mkdir, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "dist");
await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });
const common = { bundle: true, minify: true, format: "iife", target: "es2022", legalComments: "inline", logLevel: "warning" };
await build({ ...common, entryPoints: [join(here, "ask.js")], outfile: join(dist, "ask.js") });
await build({ ...common, entryPoints: [join(here, "worker.js")], outfile: join(dist, "ask-worker.js"), define: { "import.meta.url": "self.location.href" } });
await copyFile(join(here, "ask.css"), join(dist, "ask.css"));
const oxigraph = dirname(createRequire(import.meta.url).resolve("oxigraph/package.json"));
await copyFile(join(oxigraph, "web_bg.wasm"), join(dist, "oxigraph.wasm"));

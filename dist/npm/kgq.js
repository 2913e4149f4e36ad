#!/usr/bin/env node
// Starts the program that the platform's package holds.
"use strict";
const { spawn } = require("node:child_process");
const { constants } = require("node:os");

let program;
try {
  program = require.resolve(`kgq-${process.platform}-${process.arch}/bin/kgq`);
} catch {
  console.error(`kgq has no package for ${process.platform} on ${process.arch}; there is one for Linux on x86-64. The sources build with \`cargo build --release\`.`);
  process.exit(1);
}
const child = spawn(program, process.argv.slice(2), { stdio: "inherit" });
// A terminal sends SIGINT to both, and a second one ends a server at once: it is handed on only where there is no terminal.
const onTerminal = [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => (signal === "SIGINT" && onTerminal) || child.kill(signal));
}
child.on("error", (error) => {
  console.error(`kgq cannot be started: ${error.message}`);
  process.exit(1);
});
child.on("exit", (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : code));

#!/usr/bin/env bash
# The scenarios of the Model Context Protocol's own conformance suite that need no tools of the suite's, over HTTP, and the inspector's
# command line on both transports:
#     benches/mcp.sh PROGRAM
# The packages come from npm. Not applicable, as they call tools, resources or prompts that a server must have for the suite alone, or what
# we do not offer (sampling, elicitation, logging, completion, subscriptions, streams that go on): tools-call-*, json-schema-2020-12,
# elicitation-*, server-sse-*, resources-read-*, resources-templates-read, resources-subscribe, resources-unsubscribe, prompts-get-*,
# logging-set-level, completion-complete.
set -euo pipefail
cd "$(dirname "$0")/.."
kgq=$(realpath "$1")
tools=$(mktemp -d)
exec 3< <(exec "$kgq" serve --listen 127.0.0.1:0 --log none)
server=$!
trap 'kill "$server"; rm -rf "$tools"' EXIT
read -r address <&3
npm install --silent --prefix "$tools" node@22 @modelcontextprotocol/conformance@0.1.16 @modelcontextprotocol/inspector@2.12.0
export PATH="$tools/node_modules/node/bin:$tools/node_modules/.bin:$PATH"
for scenario in server-initialize ping tools-list resources-list prompts-list dns-rebinding-protection; do
  conformance server --url "${address/127.0.0.1/localhost}mcp" --scenario "$scenario" | tail -n 1 | tee /dev/stderr | grep -q ' 0 failed'
done
mcp-inspector --cli "${address}mcp" --transport http --method tools/list | grep -q '"why"'
mcp-inspector --cli "$kgq" mcp --method tools/call --tool-name about | grep -q structuredContent

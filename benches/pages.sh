#!/usr/bin/env bash
# Opens the pages of `kgq serve` on the shipped project in Chromium, asks every canned query, and has axe look at them:
#     benches/pages.sh PROGRAM
# npm brings what drives the browser.
set -euo pipefail
cd "$(dirname "$0")/../site"
kgq=$(realpath "$1")
exec 3< <(exec "$kgq" -C .. serve --listen 127.0.0.1:0 --log none)
server=$!
trap 'kill "$server"' EXIT
read -r address <&3
[ -d node_modules ] || npm ci --silent
npm run served -- "$address"

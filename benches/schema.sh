#!/usr/bin/env bash
# Sends what /openapi.json allows, and what it does not, to `kgq serve` on the shipped project, with schemathesis:
#     benches/schema.sh PROGRAM EXAMPLES
# That all that the schema allows is answered is not asked: what a query is, no schema says.
set -euo pipefail
cd "$(dirname "$0")/.."
exec 3< <(exec "$1" serve --listen 127.0.0.1:0 --log none)
server=$!
trap 'kill "$server"' EXIT
read -r address <&3
schemathesis run "${address}openapi.json" --max-examples "$2" --checks all --exclude-checks positive_data_acceptance

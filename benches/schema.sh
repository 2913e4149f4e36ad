#!/usr/bin/env bash
# Sends what /openapi.json allows, and what it does not, to `kgq serve` with schemathesis: on the shipped project, and on a small one that
# clients with a token may change.
#     benches/schema.sh PROGRAM EXAMPLES
# That all that the schema allows is answered is not asked: what a query is, no schema says.
set -euo pipefail
cd "$(dirname "$0")/.."
here=$PWD/benches
program=$(realpath "$1")
examples=$2
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$folder"' EXIT

# ask OPTIONS_OF_SCHEMATHESIS -- ARGUMENTS_OF_SERVE
ask() {
  local options=()
  while [ "$1" != -- ]; do options+=("$1"); shift; done
  shift
  exec 3< <(exec "$program" "$@" --listen 127.0.0.1:0 --log none)
  server=$!
  read -r address <&3
  local failed=0
  # It keeps what it found where it runs.
  (cd "$folder" && PYTHONPATH=$here SCHEMATHESIS_HOOKS=schema_types schemathesis run "${address}openapi.json" \
    --max-examples "$examples" --checks all --exclude-checks positive_data_acceptance "${options[@]}") || failed=1
  kill "$server"
  server=
  return "$failed"
}

failed=0
ask -- serve || failed=1

mkdir -p "$folder/people/data" "$folder/people/queries"
cat >"$folder/people/kgq.toml" <<'END'
name = "people"
title = "People"
base = "http://e.example/"
data = ["data/*"]
[edit]
file = "data/new.ttl"
[prefixes]
e = "http://e.example/"
END
cat >"$folder/people/data/people.trig" <<'END'
@prefix e: <http://e.example/> .

e:ada
    a e:Person ;
    e:knows e:bob ;
    e:name "Ada" ;
.

e:g {
    e:bob
        e:age 40 ;
    .
}
END
token=$(head -c 24 /dev/urandom | base64)
printf 'schemathesis write %s\n' "$(printf %s "$token" | sha256sum | cut -d ' ' -f 1)" >"$folder/tokens"
ask -H "Authorization: Bearer $token" -- -C "$folder/people" serve --writable --tokens "$folder/tokens" || failed=1
exit "$failed"

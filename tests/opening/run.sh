#!/bin/sh
# Verifies the bundle of an opening with a program that shares no code with Sealbid, and shows that changed copies are refused.
#
#   tests/opening/run.sh [BUNDLE VERIFIER]
#
# VERIFIER is the platform's promise key in its published form; it must come from elsewhere. Without a bundle the published
# vector is taken, and its intermediate values are computed as well. Needs Node.js 20. With VERBOSE=1 every change is named
# with what was found.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
if [ $# -eq 0 ]; then
  vectors=$here/../vectors/opening
  node "$here/vectors.mjs"
  set -- "$vectors/bundle.ndjson" "$(sed -n 's/^ *"verifier": "\(.*\)".*/\1/p' "$vectors/vector.json")"
fi
node "$here/verify.mjs" "$1" --vkey "$2"
node "$here/damage.mjs" "$1" --vkey "$2"

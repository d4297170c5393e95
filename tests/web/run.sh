#!/usr/bin/env bash
# The page that seals: what is checked in is what its sources give, the module agrees with the published vectors, and the page does
# its work in Chromium against a real server. SEALBID_SHOTS names a directory for pictures of it.
set -euo pipefail
cd "$(dirname "$0")/../.."

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
missing=()
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)
command -v "${SEALBID_CHROMIUM:-chromium}" >/dev/null || missing+=(chromium fonts-noto-cjk)
if [ "${#missing[@]}" -gt 0 ]; then
  as_root apt-get update -q
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
fi
if [ "$(node --print 'Number.parseInt(process.versions.node)')" -lt 20 ]; then
  echo "node 20 or newer is needed, not $(node --version)" >&2
  exit 1
fi

# Pinned by digest; where packages come from is everybody's own configuration.
if grep -n '"resolved"' web/package-lock.json tests/web/package-lock.json; then
  echo "a lockfile names where packages come from: see .npmrc" >&2
  exit 1
fi
for tree in web tests/web; do npm ci --prefix "$tree" --ignore-scripts --no-audit --no-fund --loglevel error; done

node web/build.mjs --check
node --test tests/web/
cargo test --locked --test suite -- --ignored web_page:: --nocapture --test-threads 1

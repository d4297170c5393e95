#!/bin/sh
# Verifies a log with a program that shares no code with Sealbid, and shows that a damaged copy is refused.
#
#   tests/log/run.sh DIR|URL [LOG_VKEY [WITNESS_VKEY...]]
#
# Without keys those of DIR/values.json are used, which suits the test vectors and nothing else: keys must come from
# elsewhere. RECEIPTS names files to check as well. Needs Debian's golang-go and golang-golang-x-mod-dev.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
log=$1
shift
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE="$scratch/cache" GOFLAGS= go build -o "$scratch/verify" "$here/verify.go"

if [ $# -eq 0 ]; then
    value() { python3 -c 'import json, sys; v = json.load(open(sys.argv[1]))[sys.argv[2]]; print(v if isinstance(v, str) else "\n".join(v))' "$log/values.json" "$1"; }
    set -- $(value log_vkey) $(value witness_vkeys)
    RECEIPTS=$(find "$log" -name '*.tlog-proof')
fi
arguments="-log $1"
shift
for witness in "$@"; do arguments="$arguments -witness $witness"; done
receipts=
for receipt in ${RECEIPTS:-}; do receipts="$receipts -receipt $receipt"; done
# Keys and paths of receipts have no spaces.
# shellcheck disable=SC2086
"$scratch/verify" $arguments $receipts "$log"

# A damaged copy: every file that the checkpoint covers, one byte in the middle of it.
case $log in http://*|https://*) exit 0 ;; esac
refused=0
for file in checkpoint $(cd "$log" && find tile -type f) $(cd "$log" && find . -name '*.tlog-proof'); do
    case $file in
        # Partial tiles that the log has outgrown are not under the checkpoint: there is the full one, or a wider one.
        *.p/*)
            [ ! -e "$log/${file%.p/*}" ] || continue
            widest=$(ls "$log/${file%/*}" | sort -n | tail -n 1)
            [ "${file##*/}" -eq "$widest" ] || continue
            ;;
    esac
    rm -rf "$scratch/copy"
    cp -r "$log" "$scratch/copy"
    python3 - "$scratch/copy/$file" <<'PYTHON'
import sys
with open(sys.argv[1], "r+b") as file:
    data = bytearray(file.read())
    data[len(data) // 2] ^= 1
    file.seek(0)
    file.write(data)
PYTHON
    receipts=$(find "$scratch/copy" -name '*.tlog-proof' -exec printf -- '-receipt %s ' {} \;)
    # shellcheck disable=SC2086
    if "$scratch/verify" $arguments $receipts "$scratch/copy" 2>"$scratch/why"; then
        echo "$file: a damaged copy was not refused" >&2
        exit 1
    fi
    refused=$((refused + 1))
done
echo "refused: $refused damaged copies"
[ "$refused" -ge 5 ]

#!/usr/bin/env bash
# The lines of the README's section on grpcurl and the client, word for word.
set -euo pipefail
cd "$(dirname "$0")/../.."
source .ci/clients/common.sh

lines=$(awk '/^## /{ within = /^## Five lines of grpcurl/ } within && /^```/ { fence = !fence; next }
  within && fence' README.md)
[ "$(grep -c '^grpcurl\|^TOKEN=' <<<"$lines")" = 5 ] || fail "these are not five lines of grpcurl: $lines"

export DUET_CREDENTIALS=$WORK/readme/credentials.json
said=$(timeout 100 bash -euo pipefail -c "$lines" 2>&1 </dev/null) || fail "the README's lines: $said"
saw "described" "$said" 'service AuthService'
saw "signed up" "$said" '"email": "ada@example.com"'
saw "created" "$said" '"title": "Try Duet"'
saw "by the client" "$said" '"title": "Buy milk"'

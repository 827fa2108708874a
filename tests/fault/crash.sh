# A stage that dies. In a plain pipe it looks like the end of the file (the
# shell's pipefail is the only witness); sealed, it never does.
seq 1 6 | sed 's/.*/{"text":"&"}/' >in.jsonl
crash='{ head -3 in.jsonl; kill -9 $$; }'
echo "-- unsealed"
(sh -c "$crash" | dedupe | tail -1; echo "status ${PIPESTATUS[*]}") 2>/dev/null
echo "-- sealed"
mask() { sed 's/ *[0-9]*\.[0-9][0-9]\( slowest\)\{0,1\}$/ CPU/'; }
ft-pipe -o out.jsonl "$crash | dedupe | dedupe" 2>err; echo "status $?"
mask <err
ls out.jsonl 2>/dev/null
echo "-- the seal itself"
try() { printf '%s\n' "$@" | TUNEUTILS_SEAL=1 dedupe -q --stats st; echo "status $?"; grep -o '"ok": [a-z]*' st; }
a='{"text":"a"}'
good=$(echo "$a" | TUNEUTILS_SEAL=first dedupe -q | tail -1)
try "$a" "$good"
try "$a"
try "$good"
try "$a" '{"text":"b"}' "$good"
try '{"text":"b"}' "$good"
try "$a" "$good" "$a"
try "$a" "$good" "$good"
try "$a" '{"#seal":{"ok":true}}'
try "$a" '{"#seal":'
try "$a" "$(echo "$good" | sed 's/true/false/')"
echo "-- outside a sealed run"
printf '%s\n' "$a" "$good" | dedupe -q; echo "status $?"
printf '%s\n' "$a" "$(echo "$good" | sed 's/true/false/')" | dedupe -q; echo "status $?"

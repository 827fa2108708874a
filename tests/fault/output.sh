# A full disk and a reader that went away.
s() { "$@"; echo "status $?"; }
many() { seq 1 100000 | sed 's/.*/{"text":"&"}/'; }
many >many.jsonl
echo '{"text":"a"}' >one.jsonl
dedupe one.jsonl >/dev/full; echo "status $?"
dedupe -q many.jsonl >/dev/full; echo "status $?"
mix-replay -q --replay one.jsonl --ratio 10% many.jsonl >/dev/full; echo "status $?"
ft-pipe -q 'dedupe many.jsonl | dedupe' >/dev/full 2>err; echo "status $?"
grep 'ft-pipe: cannot' err
dedupe -q --stats /dev/full one.jsonl; echo "status $?"
dedupe -q --explain /dev/full one.jsonl one.jsonl; echo "status $?"
dedupe -q -o no/such/folder one.jsonl; echo "status $?"
echo "-- a closed pipe ends a filter silently"
dedupe -q many.jsonl | head -1; echo "status ${PIPESTATUS[0]}"
mix-replay -q --replay one.jsonl --ratio 10% many.jsonl | head -c 0; echo "status ${PIPESTATUS[0]}"
echo "-- -o leaves nothing half done"
printf '{"text":"a"}\n{\n' >bad.jsonl
dedupe -q -o out.jsonl bad.jsonl; echo "status $?"
ls out.jsonl* 2>/dev/null
echo "-- memory allowed"
dedupe -q -S 64k many.jsonl >/dev/null; echo "status $?"
dedupe -q -S 1M --no-conflicts many.jsonl >/dev/null; echo "status $?"

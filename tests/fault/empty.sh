# Empty input is no error; a source that was named and is empty is one.
s() { "$@"; echo "status $?"; }
: >empty.jsonl
printf '\n\n' >blank.jsonl
printf '{"text":"a"}' >noeol.jsonl
s dedupe empty.jsonl
s dedupe blank.jsonl
s dedupe noeol.jsonl
s dedupe </dev/null
s dedupe nowhere.jsonl
s dedupe .
s mix-replay --replay noeol.jsonl --ratio 50% empty.jsonl
s mix-replay --replay empty.jsonl --ratio 50% noeol.jsonl
ft-pipe -q 'dedupe empty.jsonl | dedupe'; echo "status $?"

# Sealed pipes: what is shown, what fails, and why. CPU times are masked.
say() { echo "-- $1"; echo "-- $1" >&2; }
mask() { sed 's/ *[0-9]*\.[0-9][0-9]\( slowest\)\{0,1\}$/ CPU/'; }
run() { { ft-pipe "$@" 2>err >out; echo "status $?" >>out; }; cat out; mask <err >&2; }
seq 1 6 | sed 's/.*/{"text":"new &"}/' >main.jsonl
seq 1 3 | sed 's/.*/{"text":"old &"}/' >old.jsonl

say "good"
run 'dedupe main.jsonl main.jsonl | mix-replay -q --replay old.jsonl --ratio 25% | dedupe --key text'
say "stdin and -o"
ft-pipe -q -o res.jsonl 'dedupe | dedupe' <main.jsonl; echo "status $?"
wc -l <res.jsonl
say "quotes"
echo '{"a|b":1}' | ft-pipe -q "dedupe --key 'a|b' | dedupe"; echo "status $?"
say "statistics"
ft-pipe -q --stats st 'dedupe main.jsonl | dedupe' >/dev/null
sed 's/"cpu": [0-9.]*/"cpu": 0/g' st
say "a stage fails in the middle: nothing is committed"
printf '{"text":"a"}\n{"text":}\n' >bad.jsonl
run -o none.jsonl 'dedupe bad.jsonl | dedupe | dedupe'
ls none.jsonl* 2>/dev/null
say "a stage that is not ours, in the middle, at the end, in front"
run 'dedupe main.jsonl | sed -n 1,3p | dedupe'
run 'dedupe main.jsonl | tail -n +3'
run 'cat main.jsonl | dedupe'
say "a stage that stops before it has read the seal blames no other"
ft-pipe -q 'dedupe main.jsonl | dedupe --max-record 4'; echo "status $?"
say "a stage that does not exist"
run 'dedupe main.jsonl | no-such-filter' 2>&1 | grep -v '^sh: \|SIGPIPE' # or stage 1 was done before
say "ft-pipe in ft-pipe"
run 'dedupe main.jsonl | ft-pipe -q "dedupe | dedupe" | dedupe'
say "usage"
run 'dedupe || dedupe'
run 'dedupe | '
run "dedupe '"
run dedupe main.jsonl
run

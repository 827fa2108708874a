# The loss of the set is that of its documents, however it is cut; and what is said about it.
G=$TESTS/golden/trainer
ft-pack -o d --length 64 --strategy none <"$G/rows.jsonl" 2>/dev/null
ft-pack -o p --length 64 <"$G/rows.jsonl" 2>/dev/null
ft-pack -o w --length 16 --strategy wrapped <"$G/rows.jsonl" 2>/dev/null
E="ft-eval -m $G/tiny -j1"
$E -d d --per-document 2>/dev/null >all
num() { sed -n 's/.*"'"$1"'": \([-0-9.e+]*\|null\)[,}].*/\1/p'; }
wc -l <all
tail -1 all | sed -E 's/[0-9]+\.[0-9]+/X/g'
head -1 all | sed -E 's/[0-9]+\.[0-9]+/X/g; s/[0-9a-f]{32}/UID/'
paste <(num loss <all) <(num tokens <all) | awk 'NR <= 25 { s += $1 * $2; n += $2 } NR == 26 { d = s / n - $1; print n == $2 && d * d < 1e-14 ? "documents add up" : "off: " n " " $2 " " d }'
for o in "-d p" "-d d --per-device-eval-batch-size 1" "-d d --per-device-eval-batch-size 25" "-d d -j3"; do $E $o 2>/dev/null | num loss; done |
    awk -v w="$(tail -1 all | num loss)" '{ d = $1 - w; print (d * d < 1e-12) ? "the same" : "off by " d }'
$E -d w 2>/dev/null | num tokens # cut, it has fewer targets
$E -d d --adapter "$G/tiny-adapter" 2>/dev/null | num loss | awk -v w="$(tail -1 all | num loss)" '{ print $1 == w ? "a fresh adapter changes nothing" : "off by " $1 - w }'
printf '{"input_ids":[1,3,4,2],"_ft":{"tok":"x","uid":"00000000000000000000000000000001"}}\n' | ft-pack -o b --length 8 2>/dev/null
$E -d b 2>/dev/null | num bits_per_byte

no() { "$@"; echo "status $?" >&2; }
no ft-eval
no ft-eval -m "$G/tiny"
no ft-eval -m "$G/tiny" -d d extra
no ft-eval -m "$G/tiny" -d nowhere
no ft-eval -m "$G/tiny" -d d --adapter nowhere
no $E -d d >/dev/full
no ft-merge -m "$G/tiny" -o x
no ft-merge -m "$G/tiny" --adapter "$G/tiny-adapter" -o no/where

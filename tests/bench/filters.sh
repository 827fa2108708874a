# Filters beside what people use in their place, on the same data, one thread:
# jq and Python's json, where they are installed. CPU seconds, MB a CPU second,
# and how many times faster than the slowest the first line of a group is. MB=N
# sets the size of the data (about), 60.
awk -v mb="${MB:-60}" 'BEGIN {
    srand(1)
    n = split("the of model data train token a in to and is for with \\\"quoted\\\" line\\nbreak 한국어 문장 학습 caf\303\251", w, " ")
    for (size = 0; size < mb * 1e6; size += length(s)) {
        s = "{\"id\": " ++id ", \"messages\": ["
        for (m = 2 * int(1 + 3 * rand()); m > 0; m--) {
            s = s "{\"role\": \"" (m % 2 ? "assistant" : "user") "\", \"content\": \""
            for (k = 10 + int(140 * rand()); k > 0; k--) s = s w[1 + int(n * rand())] " "
            s = s "end\"}" (m > 1 ? ", " : "")
        }
        print s "], \"score\": " rand() "}"
    } }' >chats.jsonl
awk -v mb="${MB:-60}" 'BEGIN {
    srand(2)
    for (size = 0; size < mb * 1e6; size += length(s)) {
        s = l = ""
        for (n = 50 + int(450 * rand()); n > 0; n--) { t = int(50000 * rand()); s = s t (n > 1 ? "," : ""); l = l (n > 100 ? -100 : t) (n > 1 ? "," : "") }
        s = "{\"input_ids\":[" s "],\"labels\":[" l "]}"
        print s
    } }' >ids.jsonl
echo '{"text":"old"}' >old.jsonl
TIMEFORMAT='%U %S'
group() { first=; mb=$(($(stat -c %s "$1") / 1000000)); echo "$1, $mb MB"; }
run() { # name, command...
    local name=$1 t
    shift
    t=$( { time "$@" >/dev/null 2>err; } 2>&1 | awk '{ print $1 + $2 }')
    first=${first:-$t}
    awk -v t="$t" -v f="$first" -v mb="$mb" -v n="$name" 'BEGIN { printf "  %-34s %7.2f s %8.1f MB/s %7.1fx\n", n, t, mb / (t > 0 ? t : .01), t / (f > 0 ? f : .01) }'
}
have() { command -v "$1" >/dev/null; }
parse='import json,sys
for l in open(sys.argv[1], encoding="utf-8"): sys.stdout.write(json.dumps(json.loads(l), ensure_ascii=False) + "\n")'
seen='import json,sys,hashlib
seen = set()
for l in open(sys.argv[1], encoding="utf-8"):
    r = json.loads(l); r.pop("id", None)
    k = hashlib.md5(json.dumps(r, sort_keys=True).encode()).digest()
    if k not in seen: seen.add(k); sys.stdout.write(l)'
for f in chats.jsonl ids.jsonl; do
    group $f
    run 'read, check, stamp (mix-replay)' mix-replay --replay old.jsonl --ratio 1% $f
    have jq && run 'jq -c .' jq -c . $f
    have python3 && run 'python json' python3 -c "$parse" $f
    group $f
    run 'dedupe' dedupe $f
    have python3 && run 'python json, sorted, md5' python3 -c "$seen" $f
done
group ids.jsonl
run 'ft-pack' ft-pack -o set --length 2048 ids.jsonl
run 'ft-shard verify' ft-shard verify set
run 'ft-shard cat' ft-shard cat set

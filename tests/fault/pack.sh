[ -z "${TINY:-}" ] || { echo "sizes of files with whole blocks are recorded here"; exit 77; }
# What can go wrong around a set: a full disk, a foreign file, a crash, a reader
# that went away, a tokenizer that is not the set's.
say() { echo "-- $1"; echo "-- $1" >&2; }
s() { "$@"; echo "status $?"; }
for i in $(seq 300); do echo "{\"input_ids\":[$i,2,3,4,5,6,7,8],\"learn\":[[1,8]]}"; done >in.jsonl
say "a full disk"
(trap '' XFSZ; ulimit -f 4; s ft-pack -q -o full --length 8 in.jsonl)
ls full
s ft-pack -q --stats /dev/full -o stats --length 8 in.jsonl
say "a full disk while a set is replaced: the old one stays"
head -3 in.jsonl | ft-pack -q -o set --length 8
(trap '' XFSZ; ulimit -f 4; s ft-pack -q -o set --length 8 --force in.jsonl)
s ft-shard verify set
say "killed in the middle"
mkfifo pipe
ft-pack -q -o killed --length 8 <pipe &
exec 3>pipe
for i in 1 2 3 4 5; do cat in.jsonl; done >&3
until [ -d killed ]; do sleep 0.01; done
kill -9 $!; wait $! 2>/dev/null
exec 3>&-
s ft-shard verify killed
s ft-pack -q -o killed --length 8 in.jsonl
s ft-shard verify killed
ls killed
say "a reader that goes away"
ft-pack -q -o big --length 8 in.jsonl in.jsonl in.jsonl in.jsonl in.jsonl in.jsonl in.jsonl in.jsonl in.jsonl in.jsonl
ft-shard cat big | head -1 | cut -c1-40
echo "status ${PIPESTATUS[0]}"
say "damage"
cp -r set flipped
printf '\x01' | dd of=flipped/shard-00000.fts bs=1 seek=400 conv=notrunc 2>/dev/null
s ft-shard verify flipped
s ft-shard cat flipped
s ft-shard info flipped
cp -r set cut
head -c 1000 set/shard-00000.fts >cut/shard-00000.fts
s ft-shard verify cut set
cp -r set gone
rm gone/plan.ftp
s ft-shard verify gone
cp -r set manifest
sed -i 's/"docs":3/"docs":4/' manifest/manifest.json
s ft-shard verify manifest
echo '{}' >manifest/manifest.json
s ft-shard verify manifest
echo '{' >manifest/manifest.json
s ft-shard verify manifest
say "a foreign vocabulary"
tok=$TESTS/golden/chat-model
echo '{"text":"Hello world"}' | tokenize -q -m "$tok" >mine.jsonl
s ft-pack -q -o named --length 8 -m "$tok" mine.jsonl
ft-shard info named | grep vocabulary
other=0123456789abcdef0123456789abcdef:0123456789abcdef0123456789abcdef
sed "s/\"tok\":\"[^\"]*\"/\"tok\":\"$other\"/" mine.jsonl >other.jsonl
s ft-pack -q -o x --length 8 -m "$tok" other.jsonl
s ft-pack -q -o x --length 8 mine.jsonl other.jsonl
sed 's/,"_ft".*/}/' mine.jsonl >nameless.jsonl
s ft-pack -q -o x --length 8 mine.jsonl nameless.jsonl
s ft-pack -q -o other --length 8 other.jsonl
s ft-shard sample -m "$tok" other
s ft-shard sample -m "$tok" named
s ft-shard sample --explain -m "$tok" named
echo '{"input_ids":[1,100000]}' | s ft-pack -q -o x --length 8 -m "$tok"
[ ! -e x ] && echo "no set is left"

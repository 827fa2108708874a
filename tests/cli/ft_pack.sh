[ -z "${TINY:-}" ] || { echo "sizes of files with whole blocks are recorded here"; exit 77; }
# Documents of token ids into sets: what is taken, refused, dropped, and counted.
s() { "$@"; echo "status $?"; }
rows() { ft-shard cat --rows "$1" | sed 's/,"_ft".*/}/'; }
d() { local i; printf '{"input_ids":['; for i in $(seq 1 "$1"); do printf '%s%d' "${sep-}" $((100 * $2 + i)); sep=,; done; sep=; printf ']%s}\n' "${3-}"; }

echo "-- plain text is wrapped"
{ d 3 1; d 5 2; d 9 3; d 2 4; } >text.jsonl
s ft-pack -o text --length 8 text.jsonl
rows text
echo "-- what has a mask is packed whole, best fit"
{ d 3 1 ',"learn":[[1,3]]'; d 5 2 ',"labels":[-100,-100,203,204,205]'; d 8 3 ',"learn":[[0,8]]'; d 2 4 ',"learn":[[1,2]]'; } >sft.jsonl
s ft-pack -o sft --length 8 sft.jsonl
rows sft
s ft-pack -o sft3 --length 8 --pack-window 3 sft.jsonl
rows sft3
s ft-pack -o none --length 8 --strategy none sft.jsonl
rows none
echo "-- pairs are a row each"
printf '%s\n' '{"prompt_ids":[1,2],"chosen_ids":[3,4],"rejected_ids":[5]}' '{"prompt_ids":[],"chosen_ids":[3],"rejected_ids":[5,6]}' | s ft-pack -o pairs --length 8
rows pairs
echo "-- longer than a row"
{ d 3 1 ',"learn":[[1,3]]'; d 9 2 ',"learn":[[1,3]]'; d 9 3 ',"learn":[[8,9]]'; } >long.jsonl
for how in auto drop cut split error; do
    echo "-- --overlong $how"
    s ft-pack -o "long-$how" --length 8 --overlong $how --max-overlong 100% --stats st long.jsonl
    [ -d "long-$how" ] && rows "long-$how" && ft-shard info "long-$how" | grep overlong
    grep -o '"ok.*' st
done
s ft-pack -o most --length 8 long.jsonl
s ft-pack -o most --length 8 --overlong cut --allow-unlearnt long.jsonl
echo '{"prompt_ids":[1,2],"chosen_ids":[3,4,5],"rejected_ids":[5]}' >pair.jsonl
s ft-pack -o pair --length 4 --overlong cut pair.jsonl
s ft-pack -o pair --length 4 --max-overlong 1 pair.jsonl
echo "-- what cannot be packed"
try() { echo "$1" | s ft-pack -q -o bad --length 8; }
try '{"text":"a"}'
try '{"input_ids":[1,2.5]}'
try '{"input_ids":[1,-2]}'
try '{"input_ids":[1,99999999999]}'
try '{"input_ids":"12"}'
try '{"input_ids":[1,2],"input_ids":[1,2]}'
try '{"input_ids":[1,2],"labels":[1]}'
try '{"input_ids":[1,2],"labels":[-100,3]}'
try '{"input_ids":[1,2],"labels":[-100,-100]}'
try '{"input_ids":[1,2],"labels":[1,-100]}'
try '{"input_ids":[1,2],"learn":[[1,3]]}'
try '{"input_ids":[1,2],"learn":[[2,1]]}'
try '{"input_ids":[1,2],"learn":7}'
try '{"input_ids":[1,2],"spans":[[0,1]]}'
try '{"input_ids":[],"learn":[]}'
try '{"prompt_ids":[1],"chosen_ids":[2]}'
try '{"prompt_ids":[1],"chosen_ids":[2],"rejected_ids":[]}'
try '{"input_ids":[1]}'
try ''
ls bad 2>/dev/null
echo "-- set aside, renamed, counted"
printf '%s\n' '{"ids":[1,2,3]}' '{"ids":[1]}' '{"ids":[1,-1]}' '{"x":1}' '{"ids":[4,5]}' >mixed.jsonl
s ft-pack -o mixed --length 8 --map input_ids=ids --bad aside --stats st mixed.jsonl
rows mixed
cat aside st
s ft-pack -o mixed2 --length 8 --map input_ids=ids --bad aside --max-bad 1 mixed.jsonl
ls mixed2 2>/dev/null
echo "-- text first, and then something else"
{ for i in $(seq 1000); do echo '{"input_ids":[1,2,3]}'; done; echo '{"input_ids":[1,2],"learn":[[1,2]]}'; } >turn.jsonl
s ft-pack -q -o turn --length 8 turn.jsonl
s ft-pack -q -o turn --length 8 --strategy bfd turn.jsonl
echo "-- a set that is there"
s ft-pack -q -o text --length 8 sft.jsonl
s ft-pack -q -o text --length 8 --force sft.jsonl
rows text | head -1
echo "-- more than one file, the same bytes"
s ft-pack -q -o one --length 8 text.jsonl text.jsonl
cat text.jsonl text.jsonl | gzip | s ft-pack -q -o two --length 8 -j 4
cmp <(ft-shard cat one | sed 's/"_ft":{"org":\["[^"]*",[0-9]*\],//') <(ft-shard cat two | sed 's/"_ft":{"org":\["[^"]*",[0-9]*\],//') && cmp one/plan.ftp two/plan.ftp && echo same
echo "-- a sealed pipe"
ft-pipe -q 'dedupe sft.jsonl | ft-pack -o sealed --length 8'; echo "status $?"
ft-shard info sealed | grep -A3 lineage
ft-pipe -q 'dedupe long.jsonl nowhere.jsonl | ft-pack -o unsealed --length 8' 2>&1 | grep -v '^ft-pipe'; echo "status ${PIPESTATUS[0]}"
ls unsealed 2>/dev/null
echo "-- usage"
s ft-pack --length 8 text.jsonl
s ft-pack -o x --length 1 text.jsonl
s ft-pack -o x --length 3000000000 text.jsonl
s ft-pack -o x --strategy best text.jsonl
s ft-pack -o text.jsonl --length 8 text.jsonl
s ft-pack -o no/such/folder --length 8 text.jsonl
s ft-pack -o x --length 8 -m nowhere text.jsonl

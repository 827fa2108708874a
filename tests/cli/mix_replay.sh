# Ratios, units, order and ends of mix-replay.
s() { "$@"; echo "status $?"; }
seq 1 17 | sed 's/.*/{"text":"new &"}/' >main.jsonl
seq 1 4 | sed 's/.*/{"text":"old &"}/' >old.jsonl
brief() { sed 's/{"text":"\([a-z 0-9]*\)".*"src":"\([a-z]*\)".*/\1 (\2)/'; }

echo "-- one line in full"
head -1 main.jsonl | mix-replay --replay old.jsonl --ratio 0.15
echo "-- 15 % of the output"
mix-replay --replay old.jsonl --ratio 15% <main.jsonl | brief
echo "-- files behind, twice the ratio, repeats in another order"
mix-replay --replay old.jsonl --ratio 30% main.jsonl | brief | grep old | tr '\n' ';'; echo
mix-replay -q --seed 7 --replay old.jsonl --ratio 30% main.jsonl | brief | grep old | tr '\n' ';'; echo
mix-replay -q --order file --replay old.jsonl --ratio 30% main.jsonl | brief | grep old | tr '\n' ';'; echo
echo "-- end with the first that is used up; what is left is dropped"
mix-replay --stop first --replay old.jsonl --ratio 30% main.jsonl | brief | tr '\n' ';'; echo
echo "-- nothing to replay"
mix-replay -q --replay old.jsonl --ratio 0 main.jsonl | brief | tail -1
echo "-- packed replay data gives the same order"
gzip -c old.jsonl >old.gz
mix-replay -q --replay old.gz --ratio 30% main.jsonl | brief | grep old | tr '\n' ';'; echo
{ echo '['; sed '$!s/$/,/' old.jsonl; echo ']'; } >old.json
mix-replay -q --replay old.json --ratio 30% main.jsonl | brief | grep old | tr '\n' ';'; echo

echo "-- sources"
printf '{"text":"a %d"}\n' 1 2 3 >a.jsonl
printf '{"text":"b %d"}\n' 1 2 >b.jsonl
for stop in first all main; do
    echo "stop $stop"
    mix-replay --order file --stop $stop --source a=a.jsonl:1 --source b=b.jsonl:3 | brief | tr '\n' ';'; echo
done

echo "-- learnt tokens"
cat >ids.jsonl <<'X'
{"input_ids":[1,2,3,4,5,6],"labels":[-100,-100,-100,4,5,6]}
{"input_ids":[1,2,3],"labels":[1,-100,3]}
{"input_ids":[1,2,3,4],"learn":[[0,1],[2,4]]}
X
printf '{"input_ids":[9,9,9,9],"labels":[9,9,9,9]}\n' >ids2.jsonl
s mix-replay --by loss-token --replay ids2.jsonl --ratio 50% --stats stats ids.jsonl | sed 's/,"_ft".*//'
cat stats
echo "-- tokens"
mix-replay --by token --replay ids2.jsonl --ratio 50% ids.jsonl 2>&1 >/dev/null
echo "-- bytes"
mix-replay --by byte --replay old.jsonl --ratio 40% main.jsonl >out
grep old out | wc -c
wc -c <out

echo "-- what is missing is a usage error"
s mix-replay --by token --replay old.jsonl --ratio 15% ids.jsonl
s mix-replay --by token --replay ids.jsonl --ratio 15% main.jsonl
s mix-replay --by loss-token --replay ids.jsonl --ratio 15% <<'X'
{"input_ids":[1]}
X
echo "-- nothing to learn, ever"
printf '{"input_ids":[9],"labels":[-100]}\n' >none.jsonl
s mix-replay --by loss-token --replay none.jsonl --ratio 15% ids.jsonl | sed 's/,"_ft".*//'
echo "-- ids of two tokenizers"
printf '{"input_ids":[9],"_ft":{"tok":"aaaa"}}\n' >t1.jsonl
printf '{"input_ids":[9],"_ft":{"tok":"bbbb"}}\n' >t2.jsonl
s mix-replay --replay t2.jsonl --ratio 50% t1.jsonl
echo "-- bad command lines"
s mix-replay main.jsonl
s mix-replay --replay old.jsonl main.jsonl
s mix-replay --replay old.jsonl --ratio 15 main.jsonl
s mix-replay --replay old.jsonl --ratio 100% main.jsonl
s mix-replay --replay old.jsonl --ratio 15% --stop all main.jsonl
s mix-replay --source a=a.jsonl main.jsonl
s mix-replay --source a=a.jsonl:0
s mix-replay --source a=a.jsonl:1 --source a=b.jsonl:1
s mix-replay --source a=a.jsonl:1 main.jsonl

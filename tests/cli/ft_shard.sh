[ -z "${TINY:-}" ] || { echo "sizes of files with whole blocks are recorded here"; exit 77; }
# Sets looked at, checked, and made of other sets.
s() { "$@"; echo "status $?"; }
tok=0123456789abcdef0123456789abcdef:fedcba9876543210fedcba9876543210
cat >in.jsonl <<END
{"input_ids":[1,2,3,4,5],"labels":[-100,-100,3,4,5],"spans":[[0,2,0,"content","user",1],[2,4,1,"content","assistant",0]],"text":"hello","_ft":{"org":["a.jsonl",3],"uid":"000102030405060708090a0b0c0d0e0f","src":"new","tok":"$tok"}}
{"prompt_ids":[1,2],"chosen_ids":[3],"rejected_ids":[4,5],"_ft":{"tok":"$tok","src":"pairs"}}
{"input_ids":[7,8,9],"_ft":{"tok":"$tok"}}
{"input_ids":[7,8,70000],"labels":[-100,8,70000],"label":true,"_ft":{"tok":"$tok"}}
{"input_ids":[7,8],"learn":[[1,2]],"label":false,"_ft":{"tok":"$tok"}}
{"input_ids":[1,2,3,4,5,6,7],"learn":[[1,3],[5,7]],"spans":[[0,1,-1,"tools","",0],[1,3,0,"content","assistant",0],[3,5,1,"content","human",0],[5,7,2,"content","assistant",0]],"_ft":{"tok":"$tok"}}
END
s ft-pack -q -o set --length 8 in.jsonl
echo "-- info"
s ft-shard info set
s ft-shard info --json set
echo "-- verify"
s ft-shard verify set
s ft-shard verify -q set
echo "-- cat"
s ft-shard cat set
s ft-shard cat --rows set
echo "-- cat | ft-pack gives the same files"
ft-shard cat set | ft-pack -q -o again --length 8
cmp set/shard-00000.fts again/shard-00000.fts && cmp set/plan.ftp again/plan.ftp && echo same
echo "-- sample"
s ft-shard sample set 9
s ft-shard sample --explain -n 9 set
s ft-shard sample --explain --number 5 set
s ft-shard sample --rows --number 1 set
s ft-shard sample --seed 1 set 2
s ft-shard sample --color always --number 0 set
s ft-shard sample --number 6 set
echo "-- other rows"
s ft-shard repack -o short --length 4 set
s ft-shard repack -o short --length 4 --overlong drop --max-overlong 100% set
s ft-shard cat --rows short
s ft-shard repack -o full --length 4 --strategy wrapped set
s ft-shard cat --rows full
echo "-- another mask"
s ft-shard remask -o all --learn all set
ft-shard cat all | cut -d_ -f1-2 | cut -c1-100
s ft-shard remask -o last --learn last set
ft-shard cat last | tail -1 | cut -c1-100
echo "-- apart and together"
s ft-shard split -o part --rest rest --count 2 --seed 3 set
s ft-shard split -o part --rest rest --share 34% --seed 3 --force set
s ft-shard merge -o whole part rest
cmp <(ft-shard cat set | sort) <(ft-shard cat whole | sort) && echo the same documents
s ft-shard info whole
s ft-shard merge -o whole --force whole rest
s ft-shard verify set again short full all last part rest whole
echo "-- not of one vocabulary"
echo '{"input_ids":[1,2]}' | ft-pack -q -o other --length 8
s ft-shard merge -o none set other
ls none 2>/dev/null
echo "-- export"
s ft-shard export set
s ft-shard export --format rows set
s ft-shard export --format tokens set
printf '%s\n' '{"input_ids":[1,2,513]}' '{"input_ids":[4,5]}' | ft-pack -q -o flat --length 4
s ft-shard export --format tokens -o flat.bin flat
od -An -tu4 flat.bin
s ft-shard export --format rows -o flat.jsonl flat
cat flat.jsonl
ft-shard export set >/dev/full; echo "status $?"
s ft-shard export -o no/such/folder set
echo "-- text"
m=$TESTS/golden/chat-model
printf '%s\n' '{"text":"한국어 a\u001b[31m"}' '{"text":"plain\nlines"}' | tokenize -q -m "$m" | ft-pack -q -m "$m" -o text --length 64
s ft-shard sample -m "$m" text
s ft-shard sample --explain -m "$m" text
s ft-shard sample --rows --color always -m "$m" text
echo "-- usage"
s ft-shard
s ft-shard look set
s ft-shard info
s ft-shard info set again
s ft-shard verify
s ft-shard sample set many
s ft-shard repack set
s ft-shard repack -o set set
s ft-shard remask -o x set
s ft-shard split -o x set
s ft-shard split -o x --rest x --share 5% set
s ft-shard split -o x --rest y set
s ft-shard split -o x --rest y --share 1 set
s ft-shard split -o x --rest y --count 6 set
s ft-shard info nowhere
s ft-shard info in.jsonl
mkdir empty
s ft-shard verify empty set
ft-shard cat set >/dev/full; echo "status $?"

# What mask-completion marks, from each kind of row, and how it shows it.
s() { "$@"; echo "status $?"; }
m() { s mask-completion -q "$@"; }
M=$TESTS/golden/chat-model

cat >rows.jsonl <<'Y'
{"input_ids": [10, 11, 12, 13, 14], "learn": [[1, 3], [4, 5]], "a": 0.10}
{"input_ids":[10,11,12,13,14],"labels":[-100,-100,12,13,-100],"learn":[[0,5]]}
{"input_ids":[10,11,12]}
{"prompt_ids":[1,2],"chosen_ids":[3],"rejected_ids":[4]}
{"input_ids":[10,11,12],"learn":[[2,3]],"label":true}
Y
echo "-- labels, learn, neither, a pair, unpaired"
m rows.jsonl
echo "-- TRL's masks: all of them hold"
m <<'Y'
{"input_ids":[5,6,7,8],"completion_mask":[0,1,1,1]}
{"input_ids":[5,6,7,8],"completion_mask":[0,1,1,1],"assistant_masks":[1,1,0,1]}
{"input_ids":[5,6,7,8],"completion_mask":[0,1,1,1],"learn":[[2,4]]}
Y
echo "-- as ranges"
m --format=learn rows.jsonl
echo "-- all"
m --all rows.jsonl
echo "-- last turn"
m --last-turn rows.jsonl

echo "-- by role"
cat >spans.jsonl <<'Y'
{"input_ids":[1,2,3,4,5,6,7,8,9],"spans":[[1,2,0,"content","user",1],[3,4,1,"content","assistant",1],[5,6,2,"content","tool",1],[7,8,3,"content","assistant",1]],"learn":[[3,5],[7,9]]}
Y
for r in assistant user tool,user assistant,tool; do m --roles=$r --format=learn spans.jsonl | sed 's/.*"learn"//'; done
m --last-turn --format=learn spans.jsonl | sed 's/.*"learn"//'
s mask-completion -q --roles=user rows.jsonl

echo "-- by templates"
cat >text.jsonl <<'Y'
{"text":"Question: hello\nAnswer: thanks\nQuestion: 오늘 날씨\nAnswer: 좋습니다\n"}
{"text":"Question: hello\nAnswer: thanks\n"}
Y
tokenize -q -m "$M" --append-eos=no text.jsonl >ids.jsonl
m -m "$M" --response-template $'\nAnswer:' --explain 2 ids.jsonl 2>&1 >out | cat; cat out
m -m "$M" --response-template $'\nAnswer:' --instruction-template $'Question:' --explain 2 ids.jsonl 2>&1 >out | cat; cat out
ids=$(echo '{"text":"\nAnswer:"}' | tokenize -q -m "$M" --append-eos=no | sed 's/.*"input_ids":\[//; s/\].*//')
mask-completion -q --response-ids "$ids" ids.jsonl | cmp - <(mask-completion -q -m "$M" --response-template $'\nAnswer:' ids.jsonl) | cat

echo "-- the accounts"
s mask-completion --stats st rows.jsonl >/dev/null
sed 's/"seconds": [0-9.]*/"seconds": S/; s/"[a-z_]*per_s": [0-9.e+]*/R/' st
echo "-- colour"
mask-completion -q -m "$M" --explain 1 --color=always --response-template $'\nAnswer:' ids.jsonl 2>&1 >/dev/null | cat -v
echo "-- what would steer the terminal is spelled"
echo '{"text":"Answer: a\u001b[2Jb\u009bc"}' | tokenize -q -m "$M" --append-eos=no | mask-completion -q -m "$M" --explain 1 2>&1 >/dev/null
echo "-- any number of threads"
for i in $(seq 300); do cat ids.jsonl; done >many.jsonl
mask-completion -q -j1 -m "$M" --explain 400 --response-template $'\nAnswer:' many.jsonl >a 2>ae
mask-completion -q -j4 -m "$M" --explain 400 --response-template $'\nAnswer:' many.jsonl >b 2>be
cmp a b; cmp ae be; wc -l <ae

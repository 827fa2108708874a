# Rows that nothing can be learnt from, and options that do not fit.
M=$TESTS/golden/chat-model
s() { "$@"; local k=$?; echo "status $k"; echo "status $k" >&2; }

cat >none.jsonl <<'Y'
{"input_ids":[10,11,12],"learn":[[1,2]]}
{"input_ids":[10,11,12],"learn":[]}
{"input_ids":[10,11,12],"learn":[[0,1]]}
{"input_ids":[],"labels":[]}
{"prompt_ids":[1],"chosen_ids":[],"rejected_ids":[2]}
Y
s mask-completion -q none.jsonl
s mask-completion --unlearnt=drop none.jsonl
s mask-completion --allow-unlearnt none.jsonl
s mask-completion --bad bad none.jsonl; cat bad

for x in '{"input_ids":[1,2],"labels":[1]}' '{"input_ids":[1,2],"labels":[1,3]}' '{"input_ids":[1,2],"learn":[[0,3]]}' \
    '{"input_ids":[1,2],"learn":[[1,0]]}' '{"input_ids":[1,2],"learn":{}}' '{"input_ids":[1,2],"learn":[1]}' '{"text":"a"}' \
    '{"input_ids":[1,2],"input_ids":[1]}' '{"input_ids":[1.5]}' '{"input_ids":[1],"_ft":{"org":["a.jsonl",7]}}'; do
    echo "$x" | s mask-completion -q
done
echo '{"input_ids":[1,2],"completion_mask":[1]}' | s mask-completion -q
echo '{"input_ids":[1,2],"spans":[[0,1,0]],"learn":[[0,2]]}' | s mask-completion -q --last-turn
echo '{"input_ids":[1,2],"spans":[[0,5,0,"content","user",0]],"learn":[[0,2]]}' | s mask-completion -q --roles=user
echo '{"input_ids":[1,2],"_ft":{"tok":"0123"}}' | s mask-completion -q -m "$M"

# The words are there, their tokens are not.
t() { echo "{\"text\":\"$1\"}" | tokenize -q -m "$M" --append-eos=no; }
t 'Question: hello\nAnswer: thanks' | s mask-completion -q -m "$M" --response-template 'Answer: '
t 'Question: ok' | s mask-completion -q -m "$M" --response-template $'Answer:'
t 'Question\nAnswer: ok' | s mask-completion -q -m "$M" --response-template '\nAnswer:'
t 'Question\nAnswer: ok' | s mask-completion -q -m "$M" --response-template Answer: --instruction-template User:
t 'Question\nAnswer: ok' | s mask-completion -q --response-ids 9,9

s mask-completion --response-template x
s mask-completion -m "$M" --response-template ''
s mask-completion --instruction-ids 1
s mask-completion --response-ids 1,x
s mask-completion --response-ids 1,
s mask-completion --response-ids ''
s mask-completion --response-ids 1 --response-template x -m "$M"
s mask-completion --response-ids 1 --all
s mask-completion --all --roles a
s mask-completion --roles a,,b
s mask-completion --explain 1
s mask-completion --format=x
s mask-completion -m nowhere

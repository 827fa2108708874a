# From raw records to rows of tokens: what is learnt is the same text at every stage.
M=$TESTS/golden/chat-model
cat >raw.jsonl <<'Y'
{"instruction":"Correct the question.","input":"오늘 날시 어때?","output":"오늘 날씨 어때?"}
{"conversations":[{"from":"human","value":"the weather in Seoul"},{"from":"function_call","value":"{\"name\": \"weather\", \"arguments\": {\"city\": \"서울\"}}"},{"from":"observation","value":"{\"sky\": 1}"},{"from":"gpt","value":"thanks <|im_end|> again"}],"tools":"[{\"name\": \"weather\"}]"}
{"bad":"what time it is?","corrected":"what is the time?"}
{"messages":[{"role":"user","content":"hello"},{"role":"assistant","content":"a","train":false},{"role":"user","content":"today?"},{"role":"assistant","reasoning_content":"thinking","content":"안녕하세요"}]}
{"text":"plain text is learnt whole"}
Y
run() { chat-template -q --template chatml -m "$M" "$@" | tokenize -q -m "$M" $SAFE >ids.jsonl; }
run --explain 9 raw.jsonl 2>bytes
mask-completion -q -m "$M" --explain 9 ids.jsonl 2>tokens >labels.jsonl
cat tokens
echo "-- the same learnt text by bytes and by tokens"
t() { tr '\n' '~' <"$1" | grep -o '⟦[^⟧]*⟧' | tr '~' '\n'; }
t bytes >a; t tokens | grep -v '⟦plain' >b; cmp a b && grep -c ⟦ a
echo "-- special-token text in an answer: a token, or not"
n() { sed -n 2p ids.jsonl | grep -o '"input_ids":\[[^]]*' | tr ',[' '\n\n' | grep -cx 398; }
n; SAFE=--no-specials-in-content run raw.jsonl; n
echo "-- pairs, unpaired, prompts"
cat >pairs.jsonl <<'Y'
{"instruction":"today","chosen":"안녕하세요","rejected":"hello"}
{"messages":[{"role":"user","content":"today"},{"role":"assistant","content":"hello"}],"label":false}
{"prompt":[{"role":"user","content":"today"}],"completion":[{"role":"assistant","content":"hello"}]}
Y
chat-template -q --template chatml -m "$M" pairs.jsonl | tee rendered | tokenize -q -m "$M" | mask-completion -q -m "$M" --explain 9 2>&1 >out
cat rendered out
chat-template -q --template chatml -m "$M" --joint pairs.jsonl | sed -n 3p
echo '{"prompt":[{"role":"user","content":"today"}]}' | chat-template -q --template chatml -m "$M"
echo "-- a prompt alone teaches nothing, and says so"
echo '{"prompt":[{"role":"user","content":"today"}]}' | chat-template -q --template chatml -m "$M" | tokenize -q -m "$M" | mask-completion -q 2>&1; echo "status $?"
echo "-- the spans of prompt and completion are those of both as one text; cut with the tokens"
cat >two.jsonl <<'Y'
{"prompt":[{"role":"system","content":"be brief"},{"role":"user","content":"hello"}],"completion":[{"role":"assistant","content":"안녕"},{"role":"user","content":"more"},{"role":"assistant","content":"hello"}]}
Y
for b in prefix start overlap inside; do
    chat-template -q --template chatml -m "$M" two.jsonl | tokenize -q -m "$M" --boundary=$b >apart
    chat-template -q --template chatml -m "$M" --joint two.jsonl | tokenize -q -m "$M" --boundary=$b >joint
    for f in apart joint; do grep -o '"spans":\[.*\]\]' $f | sed 's/\]\],.*/]]/' >$f.spans; grep -o '"learn":[^_"]*' $f | tr -d '}' | sed 's/,$//' >$f.learn; done
    cmp apart.spans joint.spans && cmp apart.learn joint.learn && echo "$b: the same, $(tr ']' '\n' <apart.spans | grep -c '"') spans"
done
for side in right left; do
    chat-template -q --template chatml -m "$M" two.jsonl | tokenize -q -m "$M" --max-length 14 --truncation-side $side | sed 's/.*"spans"/"spans"/'
done
chat-template -q --template chatml -m "$M" two.jsonl | tokenize -q -m "$M" | mask-completion -q -m "$M" --roles user --explain 1 2>&1 >/dev/null
chat-template -q --template chatml -m "$M" --joint two.jsonl | tokenize -q -m "$M" | mask-completion -q -m "$M" --roles user --explain 1 2>&1 >/dev/null

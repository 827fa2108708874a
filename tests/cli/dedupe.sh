# What dedupe keeps, by each kind of key.
s() { "$@"; echo "status $?"; }

cat >a.jsonl <<'X'
{"id":1,"text":"caf\u00e9"}
{"text": "café", "id": 2}
{"text":"café ","id":3}
{"id":4,"text":"café","tags":null}
{"id":5,"text":"café","tags":["x"]}
{"tags" : [ "x" ] , "text":"caf\u00E9"}
{"text":1}
{"text":1.0}
X
echo "-- record"
s dedupe a.jsonl
echo "-- text"
s dedupe --key=text a.jsonl
echo "-- ignore"
s dedupe --ignore=tags a.jsonl
echo "-- stdin, members renamed"
s dedupe --map text=t --key=text <<'X'
{"t":"a"}
{"t":"b"}
{"t":"\u0061"}
X
echo "-- record, members renamed"
s dedupe --map text=t <<'X'
{"t":"a","id":1}
{"t":"\u0061","id":2}
X

cat >chat.jsonl <<'X'
{"messages":[{"role":"user","content":"2+2?"},{"role":"assistant","content":"4"}]}
{"messages":[{"content":"2+2?","role":"user"},{"role":"assistant","content":"4"}],"id":"b"}
{"messages":[{"role":"user","content":"2+2?"},{"role":"assistant","content":"5"}]}
{"messages":[{"role":"system","content":"s"},{"role":"user","content":"2+2?"},{"role":"assistant","content":"4"}]}
{"messages":[{"role":"user","content":"2+2?"},{"role":"assistant","content":"4"}],"tools":[{"name":"t"}]}
{"conversations":[{"from":"human","value":"2+2?"},{"from":"gpt","value":"4"}]}
X
for key in messages prompt response last-user; do
    [ $key = messages ] && grep messages chat.jsonl >in.jsonl || cp chat.jsonl in.jsonl
    echo "-- $key"
    s dedupe --key=$key --explain why in.jsonl
    cat why
done

cat >qa.jsonl <<'X'
{"instruction":"add","input":"1 2","output":"3"}
{"instruction":"add","input":"1 3","output":"4"}
{"instruction":"add","output":"what?"}
{"instruction":"add","input":"","output":"what?"}
{"instruction":"add","input":null,"output":"what"}
X
echo "-- prompt of instructions"
s dedupe --key=prompt qa.jsonl
echo "-- members"
s dedupe --key=instruction,input qa.jsonl

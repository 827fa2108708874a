# Each format as messages: what chat-template reads a record as.
c() { chat-template -q --convert "$@"; echo "status $?"; }
echo "-- Alpaca"
c <<'Y'
{"id":1,"instruction":"Correct it.","input":"he go","output":"he goes"}
{"instruction":"Say hi","output":"hi","system":"Be kind.","history":[["a","b"],["c","d"]],"x":0.10}
{"instruction":"","input":"only input","output":""}
{"instruction":"q","input":null,"output":"a","chosen":"better","rejected":"worse"}
{"instruction":"q","output":"a","kto_tag":false}
Y
echo "-- Alpaca only"
c --from=alpaca <<'Y'
{"instruction":"q","input":"","output":"a","chosen":"better","rejected":"worse"}
Y
echo "-- ShareGPT"
c <<'Y'
{"conversations":[{"from":"human","value":"안녕"},{"from":"gpt","value":"안녕하세요"}],"system":"Be kind.","source":"s"}
{"conversations":[{"from":"system","value":"s"},{"from":"human","value":"q"},{"from":"gpt","value":"a","train":false}]}
{"conversations":[{"from":"human","value":"w?"},{"from":"function_call","value":"{\"name\": \"f\", \"arguments\": {\"x\": 1.0}}"},{"from":"observation","value":"{\"y\": 2}"},{"from":"gpt","value":"2"}],"tools":"[{\"name\": \"f\", \"parameters\": {}}]"}
{"conversations":[{"from":"human","value":"w?"},{"from":"function_call","value":"[{\"name\": \"f\", \"arguments\": {}}, {\"name\": \"g\", \"arguments\": {}}]"}],"tools":""}
{"conversations":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}]}
{"conversations":[{"from":"human","value":"q"}],"chosen":{"from":"gpt","value":"a"},"rejected":{"from":"gpt","value":"b"}}
{"conversations":[{"from":"human","value":"q"},{"from":"gpt","value":"a"}],"kto_tag":true}
Y
echo "-- correction pairs"
c <<'Y'
{"bad":"what time it is?","corrected":"What time is it?","id":7}
{"wrong":"오늘 날시 어때","correction":"오늘 날씨 어때?"}
{"original":"i has","fixed":"I have","system":"Fix it."}
Y
echo "-- TRL's own"
c <<'Y'
{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}],"tools":"[{\"name\": \"f\"}]"}
{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}],"label":true}
{"chosen":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}],"rejected":[{"role":"user","content":"q"},{"role":"assistant","content":"b"}]}
{"prompt":"text","completion":"stays"}
{"text":"too"}
{"input_ids":[1,2]}
Y
echo "-- the prompt taken out of a pair"
c --extract-prompt <<'Y'
{"chosen":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}],"rejected":[{"content":"q","role":"user"},{"role":"assistant","content":"b"}]}
{"chosen":"질문 하나 예","rejected":"질문 하나 아니오"}
{"chosen":"so it ","rejected":"so it is"}
{"chosen":"각","rejected":"갂"}
Y
echo "-- strings as chats"
c --as-chat --system 'Be kind.' <<'Y'
{"prompt":"q","completion":"a"}
{"prompt":"q","chosen":"a","rejected":"b"}
{"chosen":"\n\nHuman: hi there\n\nAssistant: hello\n\nHuman: and\n\nmore\n\nAssistant:","rejected":"\n\nHuman: hi there\n\nAssistant: no"}
{"prompt":"q"}
Y
echo "-- renamed, from CSV"
printf 'Q,A,label\n"질문, 하나",대답,0\n' >k.csv
c --as-chat --map prompt=Q,completion=A,mood=label k.csv
echo "-- a system message where there is none"
c --system S <<'Y'
{"messages":[{"role":"system","content":"own"},{"role":"user","content":"q"}]}
{"messages":[{"role":"user","content":"q"}]}
{"instruction":"q","output":"a"}
Y
echo "-- a choice among members"
for u in messages chosen,rejected prompt; do c --as-chat --use $u <<'Y'
{"prompt":"q","messages":[{"role":"user","content":"q"}],"chosen":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}],"rejected":[{"role":"user","content":"q"},{"role":"assistant","content":"b"}],"score":5}
Y
done
echo "-- a pair that does not differ: its last answer is left, as TRL leaves it, and counted"
echo '{"chosen":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}],"rejected":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}]}' | chat-template --convert --extract-prompt 2>&1

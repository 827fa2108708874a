# Records that are no conversation, and why.
bad() { echo "$1" | chat-template -q --template chatml "${@:2}"; echo "status $?" >&2; }
bad '{"question":"q","answer":"a"}'
bad '{"messages":"text"}'
bad '{"messages":[]}'
bad '{"messages":{"role":"user"}}'
bad '{"messages":["hi"]}'
bad '{"messages":[{"role":"user","content":"q"}],"messages":[]}'
bad '{"messages":[{"role":"user","content":"q"}],"prompt":[{"role":"user","content":"q"}]}'
bad '{"messages":[{"role":"user","content":"q"}],"label":true}'
bad '{"messages":[{"role":"user","content":5}]}'
bad '{"messages":[{"role":5,"content":"q"}]}'
bad '{"messages":[{"content":"q"}]}'
bad '{"messages":[{"role":"user","content":"q"}],"tools":5}'
bad '{"messages":[{"role":"user","content":"q"}],"tools":["f"]}'
bad '{"messages":[{"role":"user","content":"q"}],"tools":"[{"}'
bad '{"messages":[{"role":"user","content":"q"}],"documents":[1]}'
bad '{"messages":[{"role":"user","content":"q"}],"chat_template_kwargs":[]}'
bad '{"messages":[{"role":"user","content":"q"}],"chat_template_kwargs":{"add_generation_prompt":1}}'
bad '{"messages":[{"role":"user","content":"q"}],"chat_template_kwargs":{"messages":[]}}'
bad '{"messages":[{"role":"user","content":"q"}],"chat_template_kwargs":{"continue_final_message":"reasoning"}}'
bad '{"messages":[{"role":"user","content":"q","train":"no"}]}'
bad '{"messages":[{"role":"assistant","content":"q","weight":[1]}]}'
bad '{"prompt":[{"role":"user","content":"q"}],"completion":"a"}'
bad '{"prompt":[{"role":"system","content":"q"}]}'
bad '{"prompt":[]}'
bad '{"prompt":5}'
bad '{"completion":[{"role":"user","content":"q"}]}'
bad '{"chosen":[{"role":"user","content":"q"}],"rejected":[{"role":"user","content":"q"}]}' --extract-prompt
bad '{"chosen":[{"role":"user","content":"q"}],"rejected":[{"role":"user","content":"r"}]}' --extract-prompt
bad '{"conversations":[{"from":"narrator","value":"x"}]}'
bad '{"conversations":[{"from":"human"}]}'
bad '{"conversations":[{"from":"human","value":1}]}'
bad '{"conversations":[{"value":"x"}]}'
bad '{"conversations":[1]}'
bad '{"conversations":[{"from":"function_call","value":"f(1)"}]}'
bad '{"conversations":[{"from":"function_call","value":"{}"}]}'
bad '{"conversations":[{"from":"human","value":"q"}],"kto_tag":true}'
bad '{"instruction":"","output":"a"}'
bad '{"instruction":"q","input":5,"output":"a"}'
bad '{"instruction":"q","output":"a","history":[["a"]]}'
bad '{"instruction":"q"}' --from=alpaca
bad '{"bad":"","corrected":"x"}'
bad '{"bad":"a"}' --from=correction
bad '{"text":5}'
bad '{"text":null}'
bad '{"text":"a","text":"b"}'

# The origin of a record and the line of the template.
printf '%s\n' '{{ messages[0].content }}' '' "{{ raise_exception('no, ' ~ messages[0].content) }}" >t.jinja
echo '{"messages":[{"role":"user","content":"q"}],"_ft":{"org":["a.jsonl",12]}}' | chat-template -q --template t.jinja; echo "status $?" >&2
printf '%s\n' 'a' '{{ messages[0].content + 1 }}' >t.jinja
echo '{"messages":[{"role":"user","content":"q"}]}' | chat-template -q --template t.jinja; echo "status $?" >&2
printf '{"messages":[{"role":"user","content":"q"}]}\n{"messages":[]}\n{"messages":[{"role":"user","content":"r"}]}\n' |
    chat-template --template zephyr --bad bad.jsonl; echo "status $?" >&2; cat bad.jsonl

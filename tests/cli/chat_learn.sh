# What is learnt of a chat, by option and by the chat's own word. Learnt text stands in brackets.
x() { chat-template -q --explain 9 "$@" 2>&1 >/dev/null | grep -v '^=='; echo; }
cat >a.jsonl <<'Y'
{"messages":[{"role":"system","content":"s"},{"role":"user","content":"q1"},{"role":"assistant","content":"a1"},{"role":"user","content":"q2"},{"role":"assistant","content":"a2"}]}
Y
echo "-- all answers"; x --template chatml a.jsonl
echo "-- the last"; x --template chatml --last-turn a.jsonl
echo "-- by role"; x --template chatml --roles user a.jsonl; x --template chatml --roles user,assistant,system a.jsonl
echo "-- none"; x --template chatml --roles '' a.jsonl
echo "-- without generation prompt in the template"; x --template mistral a.jsonl; x --template llama2 a.jsonl
echo "-- where the user's turn has no end of its own"; x --template plain a.jsonl
echo "-- a prompt at the end"; x --template chatml --add-generation-prompt a.jsonl
echo "-- the last message left open"; x --template chatml --continue-final-message a.jsonl
echo "-- the message's own word"
x --template chatml <<'Y'
{"messages":[{"role":"user","content":"q1","train":true},{"role":"assistant","content":"a1","train":false},{"role":"user","content":"q2"},{"role":"assistant","content":"a2"}]}
{"messages":[{"role":"user","content":"q1"},{"role":"assistant","content":"a1","weight":0},{"role":"user","content":"q2"},{"role":"assistant","content":"a2","weight":1}]}
{"messages":[{"role":"user","content":"q1"},{"role":"assistant","content":[{"type":"text","text":"one "},{"type":"text","text":"two ","train":false},{"type":"text","text":"three"}]}]}
Y
echo "-- empty answers, two in a row, an answer first"
x --template chatml <<'Y'
{"messages":[{"role":"user","content":"q1"},{"role":"assistant","content":""},{"role":"user","content":"q2"},{"role":"assistant","content":""}]}
{"messages":[{"role":"user","content":"q1"},{"role":"assistant","content":"a1"},{"role":"assistant","content":"a2"}]}
{"messages":[{"role":"assistant","content":"a1"},{"role":"user","content":""},{"role":"assistant","content":"a2"}]}
{"messages":[{"role":"assistant","content":"a1"}]}
Y
echo "-- text that looks like the template's own"
x --template chatml <<'Y'
{"messages":[{"role":"user","content":"<|im_end|>\n<|im_start|>assistant\nno"},{"role":"assistant","content":"a<|im_end|>b"},{"role":"user","content":"a1"},{"role":"assistant","content":"a1"}]}
Y
echo "-- a stop token that the next message owns"
cat >glm.jinja <<'Y'
{% for m in messages %}<|{{ m.role }}|>
{{ m.content }}{% endfor %}{% if add_generation_prompt %}<|assistant|>
{% endif %}
Y
x --template glm.jinja a.jsonl
x --template glm.jinja --stop '<|user|>' a.jsonl
echo "-- edges: the line break behind the stop token, a <think> of the prompt"
x --template chatml --edges=wide a.jsonl
cat >think.jinja <<'Y'
{% for m in messages %}<|{{ m.role }}|>{% if m.role == 'assistant' %}<think></think>{% endif %}{{ m.content }}<|end|>
{% endfor %}{% if add_generation_prompt %}<|assistant|><think>{% else %}</s>{% endif %}
Y
x --template think.jinja a.jsonl; x --template think.jinja --edges=wide a.jsonl
echo "-- edges as the author of the blocks drew them: the header, the line break of the prompt"
cat >header.jinja <<'Y'
{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}<|assistant|>{{ m.content }}<|end|>{% endgeneration %}{% else %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endif %}{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}
Y
x --template header.jinja a.jsonl; x --template header.jinja --learn-from=turns a.jsonl; x --template header.jinja --learn-from=turns --edges=exact a.jsonl
cat >break.jinja <<'Y'
{% for m in messages %}{% if m.role == 'assistant' %}<|assistant|>{% generation %}
{{ m.content }}<|end|>{% endgeneration %}{% else %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endif %}{% endfor %}{% if add_generation_prompt %}<|assistant|>{{ '\n' }}{% endif %}
Y
sed -i 's/generation %}$/generation %}{{ "\\n" }}/; s/^{{ m.content/{{- m.content/' break.jinja
x --template break.jinja --learn-from=turns a.jsonl
echo "-- answers that leave no trace: numbers, nothing at all"
x --template think.jinja --edges=wide <<'Y'
{"messages":[{"role":"user","content":42},{"role":"assistant","content":3.5},{"role":"user","content":""},{"role":"assistant","content":7}]}
{"messages":[{"role":"assistant","content":1},{"role":"assistant","content":2}]}
Y
echo "-- a function's result in the midst of the answer"
cat >inside.jinja <<'Y'
{% for m in messages %}{% if m.role == 'assistant' %}<turn>model
{% for c in m.tool_calls or [] %}<call>{{ c.name }}</call>{% if messages[2] %}<result>{{ messages[2].content }}</result>{% endif %}{% endfor %}{{ m.content }}<end>
{% elif m.role != 'tool' %}<turn>{{ m.role }}
{{ m.content }}<end>
{% endif %}{% endfor %}{% if add_generation_prompt %}<turn>model
{% endif %}
Y
x --template inside.jinja <<'Y'
{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"so it is","tool_calls":[{"name":"f"}]},{"role":"tool","content":"r"},{"role":"user","content":"q2"},{"role":"assistant","content":"a2"}]}
Y
echo "-- a function's name repeated in the frame of its result"
cat >calls.jinja <<'Y'
{% for m in messages %}{% if m.tool_calls %}<start>assistant to={{ m.tool_calls[0].name }}<msg>{{ m.tool_calls[0].arguments | tojson }}<call>{% elif m.role == 'tool' %}<start>{{ messages[loop.index0 - 1].tool_calls[0].name }} to=assistant<msg>{{ m.content }}<end>{% else %}<start>{{ m.role }}<msg>{{ m.content }}<end>{% endif %}{% endfor %}{% if add_generation_prompt %}<start>assistant{% endif %}
Y
cat >c.jsonl <<'Y'
{"messages":[{"role":"user","content":"q"},{"role":"assistant","tool_calls":[{"name":"f","arguments":{"k":"v"}}]},{"role":"tool","content":"r"},{"role":"assistant","content":"a"}]}
Y
x --template calls.jinja --stop '<call>' c.jsonl
echo "-- an answer quoted in the next question"
cat >quote.jinja <<'Y'
{% for m in messages %}<{{ m.role }}>{% if m.role == 'user' and not loop.first %}(to "{{ messages[loop.index0 - 1].content }}") {% endif %}{{ m.content }}</s>{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}
Y
x --template quote.jinja a.jsonl
echo "-- {% generation %} blocks, and the turns all the same"
cat >gen.jinja <<'Y'
{% for m in messages %}[{{ m.role }}]{% if m.role == 'assistant' %}{% generation %}{{ m.content }}</s>{% endgeneration %}
{% else %}{{ m.content }}
{% endif %}{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}
Y
x --template gen.jinja a.jsonl; x --template gen.jinja --last-turn a.jsonl; x --template gen.jinja --learn-from=turns a.jsonl
echo "-- reasoning that history loses: the turns apart"
cat >r.jsonl <<'Y'
{"messages":[{"role":"user","content":"q1"},{"role":"assistant","reasoning_content":"r1","content":"a1"},{"role":"user","content":"q2"},{"role":"assistant","reasoning_content":"r2","content":"a2"}],"id":1}
Y
x --template qwen r.jsonl
chat-template -q --template qwen --split-turns r.jsonl
echo "-- a record"
chat-template --template chatml a.jsonl
chat-template -q --template chatml --keep a.jsonl
echo "-- any number of threads"
for i in $(seq 200); do cat a.jsonl r.jsonl c.jsonl; done >many.jsonl
chat-template -q -j1 --template chatml --explain 500 many.jsonl >1 2>1e; chat-template -q -j4 --template chatml --explain 500 many.jsonl >4 2>4e
cmp 1 4; cmp 1e 4e; wc -l <1
echo "-- shown: each text of a record, of split turns each"
cat >shown.jsonl <<'Y'
{"messages":[{"role":"user","content":"q1"},{"role":"assistant","content":"a1"},{"role":"user","content":"q2"},{"role":"assistant","content":"a2","train":false},{"role":"user","content":"q3"},{"role":"assistant","content":"a3"}]}
{"prompt":[{"role":"user","content":"q"}],"chosen":[{"role":"assistant","content":"good"}],"rejected":[{"role":"assistant","content":"bad"}]}
{"chosen":[{"role":"user","content":"q"}],"rejected":[{"role":"user","content":"p"}]}
{"prompt":[{"role":"user","content":"q"}]}
Y
chat-template -q --template chatml --explain 9 --split-turns shown.jsonl 2>&1 >/dev/null
echo "-- chats of one kind: each is learnt as it would be alone, in whichever order they come"
cat >again.jinja <<'Y'
{% for m in messages %}<|{{ m.role }}|>
{{ m.content }}<|end|>
{% endfor %}{% if add_generation_prompt %}<|assistant|>

Think{% endif %}
Y
for a in '\n' '\nlong' '\n\nThin' 'x' '\n\n<think>y' '\n<think>' '\n<thin' '<think>' 'a<|end|>' '\n\n' 'longer than that'; do for b in 'z' '\n' '\n<think>z'; do
    echo '{"messages":[{"role":"user","content":"'$b'"},{"role":"assistant","content":"'$a'"},{"role":"user","content":"'$a'"},{"role":"assistant","content":"'$b'"}]}'
done; done >kind.jsonl
bare() { chat-template -q "$@" | sed 's/, *"_ft".*//'; }
for t in again.jinja think.jinja break.jinja chatml mistral; do
    bare --template $t kind.jsonl >all
    tac kind.jsonl | bare --template $t | tac | cmp - all && while read -r line; do printf '%s\n' "$line" | bare --template $t; done <kind.jsonl | cmp - all && echo same
done
echo "-- the same of templates that cut blanks and reasoning away"
cat >trim.jinja <<'Y'
{% for m in messages %}{% set said = m.content.split('</think>')[-1]|trim if m.role == 'assistant' and not loop.last else m.content|trim %}<|{{ m.role }}|>
{{ said }}<|end|>
{% endfor %}{% if add_generation_prompt %}<|assistant|>
{% if '/no_think' in messages[-1].content %}<think></think>{% endif %}{% endif %}
Y
for a in x '' ' ' '<think>a</think>b' '<think>a</think>'; do for b in z '' '\n' '/no_think'; do
    echo '{"messages":[{"role":"user","content":"'$b'"},{"role":"assistant","content":"'$a'"},{"role":"tool","content":"'$b'"},{"role":"assistant","content":"'$a'"},{"role":"tool","content":""},{"role":"assistant","content":"'$a'"}]}'
    echo '{"messages":[{"role":"user","content":"'$b'"},{"role":"assistant","content":"'$a'"},{"role":"user","content":"'$b'"},{"role":"assistant","content":"x"},{"role":"tool","content":""},{"role":"assistant","content":"'$a'"}]}'
done; done >kind.jsonl
bare --template trim.jinja kind.jsonl >all
tac kind.jsonl | bare --template trim.jinja | tac | cmp - all && while read -r line; do printf '%s\n' "$line" | bare --template trim.jinja; done <kind.jsonl | cmp - all && echo same

# Special-token text inside what users say is never special under --no-specials-in-content, in any form of record and in any
# member that a template prints. Id 398 is <|im_end|>: the template prints one a message, the content is full of them.
M=$TESTS/golden/chat-model
cat >all.jinja <<'Y'
{% for t in tools or [] %}{{ t | tojson }}{% endfor %}{% for d in documents or [] %}{{ d.title }}: {{ d.text | upper | lower }}{% endfor %}{{ note }}{% for m in messages %}<|im_start|>{{ m.role }} {{ m.name }}
{{ m.reasoning_content }}{% if m.content is string %}{{ m.content | trim }}{% else %}{% for c in m.content or [] %}{{ c.text }}{% endfor %}{% endif %}{% for c in m.tool_calls or [] %}{{ c | tojson }}{{ c.function.arguments.items() | list }}{% endfor %}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}
Y
cat >in.jsonl <<'Y'
{"messages":[{"role":"system","content":"s<|im_end|>"},{"role":"user","name":"n<|im_end|>","content":[{"type":"text","text":"<|im_end|>"},{"type":"text","text":"x<|im_end|>"}]},{"role":"assistant","reasoning_content":"<|im_end|>","content":"<|im_end|>","tool_calls":[{"type":"function","function":{"name":"<|im_end|>","arguments":{"a<|im_end|>":"<|im_end|>"}}}]},{"role":"tool","name":"f","content":"<|im_end|><|im_end|>"},{"role":"assistant","content":"a<|im_end|>b"}],"tools":[{"type":"function","function":{"name":"f<|im_end|>","description":"<|im_end|>"}}],"documents":[{"title":"t<|im_end|>","text":"<|im_end|>"}],"chat_template_kwargs":{"note":"<|im_end|>"}}
{"prompt":[{"role":"user","content":"<|im_end|>"}]}
{"prompt":[{"role":"user","content":"<|im_end|>"}],"completion":[{"role":"assistant","content":"<|im_end|>a"}]}
{"prompt":[{"role":"user","content":"q"}],"completion":[{"role":"assistant","content":"<|im_end|>"}],"label":true}
{"prompt":[{"role":"user","content":"<|im_end|>"}],"chosen":[{"role":"assistant","content":"<|im_end|>a"}],"rejected":[{"role":"assistant","content":"<|im_end|>b"}]}
{"chosen":[{"role":"user","content":"<|im_end|>"},{"role":"assistant","content":"<|im_end|>a"}],"rejected":[{"role":"user","content":"<|im_end|>"},{"role":"assistant","content":"<|im_end|>b"}]}
{"instruction":"<|im_end|>","input":"<|im_end|>","output":"<|im_end|>"}
{"conversations":[{"from":"human","value":"<|im_end|>"},{"from":"function_call","value":"{\"name\": \"<|im_end|>\", \"arguments\": {\"x\": \"<|im_end|>\"}}"},{"from":"observation","value":"<|im_end|>"},{"from":"gpt","value":"<|im_end|>"}],"system":"<|im_end|>"}
{"prompt":"plain <|im_end|>","completion":"text <|im_end|>"}
{"prompt":"plain <|im_end|>","chosen":"text <|im_end|>","rejected":"<|im_end|>"}
{"text":"plain <|im_end|> text"}
Y
n() { while read -r line; do echo "$line" | grep -o '_ids":\[[^]]*' | tr ',[' '\n\n' | grep -cx 398; done | paste -sd' '; }
render() { chat-template -q --template all.jinja -m "$M" "$@" in.jsonl; }
echo "-- <|im_end|> tokens of each record: all, and the template's own"
render | tokenize -q -m "$M" | n
render | tokenize -q -m "$M" --no-specials-in-content | n
echo "-- jointly, and turn by turn"
render --joint | tokenize -q -m "$M" --no-specials-in-content | n
render --split-turns | tokenize -q -m "$M" --no-specials-in-content | n
echo "-- a member by name"
echo '{"a":"x <|im_end|>","b":"y","b_spans":[]}' | tokenize -q -m "$M" --no-specials-in-content --field a --field b
echo "-- the ids say what the text was"
render | sed -n '3p;5p' | tokenize -q -m "$M" --no-specials-in-content | grep -o '"[a-z]*_ids":\[[^]]*' | sed 's/.*\[/{"input_ids":[/; s/$/]}/' | detokenize -q -m "$M" | grep -o '"text".*'
echo "-- what need not be special to be the template's: flag 4"
cat >think.jinja <<'Y'
{% for m in messages %}<think>{% if m.content is string %}{{ m.content }}{% else %}{% for c in m.content %}{{ c.text }}{% endfor %}{% endif %}</think>{% endfor %}
Y
echo '{"messages":[{"role":"user","content":"a<think>b"},{"role":"user","content":[{"text":"<thi"},{"text":"nk>"}]},{"role":"user","content":"</thi<other>"}]}' | chat-template -q --template think.jinja | grep -o '"spans":.*"learn'
echo "-- what was rendered without marks cannot be told apart" >&2
render | sed -n 3p | sed 's/"completion_spans":\[[^_]*\]\],//' | tokenize -q -m "$M" --no-specials-in-content; echo "status $?"
echo "-- how many there are is counted" >&2
render | tokenize -m "$M" >/dev/null

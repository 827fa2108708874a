# What is said of doubtful templates, and nothing of good ones.
l() { echo "-- $*"; chat-template --lint "$@"; echo "status $?"; }
cp -r "$TESTS/golden/chat-model" M
l --template chatml -m M
l --template gemma -m M
for t in llama2 llama3 mistral gemma phi plain qwen zephyr; do l --template $t; done
t() { printf "$1" >t.jinja; l --template t.jinja "${@:2}"; }
t '{{ bos_token }}{{ bos_token }}{%% for m in messages %%}<{{ m.role }}>{{ m.content }}<end>{%% endfor %%}{%% if add_generation_prompt %%}<assistant>{%% endif %%}' --kwarg bos_token='"<s>"' --stop '<stop>'
t '{%% for m in messages %%}{{ m.content }}{%% endfor %%}'
t '{{ strftime_now("%%d") }}{%% for m in messages %%}{%% if m.role == "system" %%}{{ raise_exception("no system\\nmessages") }}{%% endif %%}{{ m.role }}: {{ m.content }}</s>{%% endfor %%}{%% if add_generation_prompt %%}assistant: {%% endif %%}'
t '{{ raise_exception("never") }}'
t '{%% for m in messages %%}[{{ m.role }}]{%% if m.role == "assistant" and loop.last %%}{%% generation %%}{{ m.content }}</s>{%% endgeneration %%}{%% else %%}{{ m.content }}{%% endif %%}{%% endfor %%}'
mkdir m && cp M/tokenizer.json m && echo '{"eos_token":"<|im_end|>","bos_token":"<|endoftext|>","chat_template":"{{ bos_token }}{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"}' >m/tokenizer_config.json
sed -i 's/"post_processor":null/"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<|endoftext|>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],"pair":[{"Sequence":{"id":"A","type_id":0}},{"Sequence":{"id":"B","type_id":1}}],"special_tokens":{"<|endoftext|>":{"id":"<|endoftext|>","ids":[396],"tokens":["<|endoftext|>"]}}}/' m/tokenizer.json
l -m m
t '{%% for m in messages %%}<|{{ m.role }}|>{{ m.content }}{%% endfor %%}{%% if add_generation_prompt %%}<|assistant|>{%% endif %%}'
t '{%% for m in messages %%}<|{{ m.role }}|>{%% if m.role == "assistant" %%}{%% generation %%}{{ m.content }}{%% endgeneration %%}{%% else %%}{{ m.content }}{%% endif %%}<|end|>{%% endfor %%}{%% if add_generation_prompt %%}<|assistant|>{%% endif %%}'
t '{%% for m in messages %%}<|{{ m.role }}|>{%% if m.role == "assistant" %%}{%% generation %%}{{ m.content }}{%% endgeneration %%}{%% generation %%}<|end|>{%% endgeneration %%}{%% else %%}{{ m.content }}<|end|>{%% endif %%}{%% endfor %%}{{ eos_token }}{%% if add_generation_prompt %%}<|assistant|>{%% endif %%}'
echo '{}' >m/tokenizer_config.json
l --template chatml -m m
t '<|endoftext|>{%% for m in messages %%}<|im_start|>{{ m.role }}{{ m.content }}<|im_end|>{%% endfor %%}{%% if add_generation_prompt %%}<|im_start|>assistant{%% endif %%}' -m m

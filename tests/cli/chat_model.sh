# Which template and which special tokens a model's folder gives.
ask() { printf '%s\n' '{"messages":[{"role":"user","content":"q"}]}' '{"messages":[{"role":"user","content":"q"}],"tools":[{"name":"f"}]}' \
    '{"messages":[{"role":"user","content":"q"}],"tools":[]}' | chat-template -q -m m "$@" | sed 's/,"spans".*//; s/"tools":[^}]*}],*//'; }
T='{{ bos_token }}|{{ eos_token }}|{{ pad_token is defined }}|{{ messages[0].content }}'
mkdir m

echo "-- a string in the config"
printf '{"chat_template":"string %s","bos_token":{"__type":"AddedToken","content":"<s>","special":true},"eos_token":"</s>","pad_token":null}' "$T" >m/tokenizer_config.json
ask
echo "-- named ones in the config: default, and tool_use where there are tools"
printf '{"chat_template":[{"name":"default","template":"default %s"},{"name":"tool_use","template":"tools %s"},{"name":"rag","template":"rag %s"}],"eos_token":"</s>"}' "$T" "$T" "$T" >m/tokenizer_config.json
ask
echo "-- by name"
ask --template rag
echo "-- a file wins, alone"
printf 'file %s\n' "$T" >m/chat_template.jinja
ask
echo "-- and has others beside it"
mkdir m/additional_chat_templates
printf 'file for tools %s\r\nend\n' "$T" >m/additional_chat_templates/tool_use.jinja
printf 'x' >m/additional_chat_templates/rag.jinja
ask
ask --template rag
chat-template -m m --list | head -3
chat-template -m m --show tool_use
echo "-- a file, a name and a bundled style of one name: the folder's, the file, the style"
printf 'here %s' "$T" >zephyr
ask --template zephyr
mv zephyr m/additional_chat_templates/zephyr.jinja
ask --template zephyr
rm m/additional_chat_templates/zephyr.jinja
ask --template plain
echo "-- without added_tokens_decoder the old map of special tokens wins"
rm -r m/additional_chat_templates
echo '{"bos_token":{"content":"<map>"},"eos_token":"</map>","extra":1}' >m/special_tokens_map.json
ask
echo '{"eos_token":"</s>","added_tokens_decoder":{}}' >m/tokenizer_config.json
ask
echo "-- what the class sets, where the config is silent"
rm m/special_tokens_map.json
echo '{"tokenizer_class":"LlamaTokenizerFast","eos_token":null}' >m/tokenizer_config.json
ask
echo '{"model_type":"phi3"}' >m/config.json
ask | head -1
echo '{"model_type":"qwen2"}' >m/config.json
ask | head -1
rm m/config.json
printf '"ByteLevel"' >m/tokenizer.json
ask | head -1
rm m/tokenizer.json
echo "-- tokens of the model's own names: an object is one if it says so; the map does not replace them"
printf '{"image_token":"<img>","audio_token":{"content":"<no>"},"video_token":{"__type":"AddedToken","content":"<vid>"},"extra_special_tokens":{"boi":"<boi>"}}' >m/tokenizer_config.json
printf '{"image_token":"<map>","video_token":"<map>","audio_token":"<map>","pad_token":"<pad>"}' >m/special_tokens_map.json
mv m/chat_template.jinja keep
printf '{{ [image_token, audio_token, video_token, boi, pad_token] }}' >m/chat_template.jinja
ask | head -1
rm m/special_tokens_map.json
ask | head -1
echo "-- tool_use alone serves records with tools"
rm m/chat_template.jinja
printf '{"chat_template":[{"name":"tool_use","template":"tools %s"}]}' "$T" >m/tokenizer_config.json
ask --bad /dev/null
echo "-- a processor's template, where the tokenizer has none"
echo '{}' >m/tokenizer_config.json
printf '{"chat_template":"old %s"}' "$T" >m/chat_template.json
ask | head -1
printf '{"chat_template":"new %s"}' "$T" >m/processor_config.json
ask | head -1
rm m/processor_config.json m/chat_template.json
mv keep m/chat_template.jinja
echo '{"tokenizer_class":"LlamaTokenizerFast","eos_token":null}' >m/tokenizer_config.json
echo "-- tokens by option; the record wins"
ask --kwarg bos_token='"<o>"' --kwarg x=1
printf '{{ bos_token }}{{ x }}{{ y }}{{ strftime_now("%%Y-%%m-%%d %%H %%A") }}' >t.jinja
echo '{"messages":[{"role":"user","content":"q"}],"chat_template_kwargs":{"x":2,"bos_token":"<r>"}}' |
    chat-template -q --template t.jinja --kwarg x=1 --kwarg y='[1.0, null]' --kwarg bos_token='"<o>"' --date '2024-02-29 23:59:58' | sed 's/,"spans".*//'
echo '{"messages":[{"role":"user","content":"q"}]}' | SOURCE_DATE_EPOCH=86400 chat-template -q --template t.jinja | sed 's/,"spans".*//'
echo "-- null members: dropped as transformers' tokenizers do, or kept as its renderer alone"
printf '{{ messages[0] }}' >t.jinja
N='{"messages":[{"role":"user","content":null,"reasoning":"r"}]}'
for o in "--template t.jinja" "--template t.jinja --nulls=drop" "--template t.jinja -m m" "--template t.jinja -m m --nulls=keep"; do
    echo "$N" | chat-template -q $o | sed 's/,"spans".*//'
done
echo "-- by its name, in the hub's cache"
mkdir -p cache/models--org--chat/refs cache/models--org--chat/snapshots/c0ffee
echo c0ffee >cache/models--org--chat/refs/main
echo '{% for m in messages %}({{ m.content }}){% endfor %}' >cache/models--org--chat/snapshots/c0ffee/chat_template.jinja
echo '{"messages":[{"role":"user","content":"q"}]}' | HF_HUB_CACHE=cache chat-template -q -m org/chat
echo "-- not there" >&2
HF_HUB_CACHE=cache chat-template -m org/other </dev/null; echo "status $?"
HF_HUB_CACHE=cache tokenize -m org/other </dev/null; echo "status $?"
echo "-- a record's own template: a text, a name in the folder, not a template, not even text"
mkdir -p two/additional_chat_templates
echo 'default {{ messages[0].content }}' >two/chat_template.jinja
echo 'other {{ messages[0].content }}' >two/additional_chat_templates/other.jinja
for i in $(seq 40); do
    echo '{"messages":[{"role":"user","content":"'$i'"},{"role":"assistant","content":"a"}],"chat_template_kwargs":{"chat_template":"{% for m in messages %}'$i'{{ m.content }}<end>{% endfor %}"}}'
    echo '{"messages":[{"role":"user","content":"'$i'"}],"chat_template_kwargs":{"chat_template":"other"}}'
    echo '{"messages":[{"role":"user","content":"'$i'"}],"chat_template_kwargs":{"chat_template":null}}'
done >own.jsonl
for j in 1 3; do for i in 1 2; do cat own.jsonl; done | chat-template -q -j $j -m two | sed 's/,"_ft".*//' >own.$j; done
head -n 6 own.1; tail -n 3 own.1; cmp own.1 own.3 && wc -l <own.1
echo "-- a record's own template is bad" >&2
echo '{"messages":[{"role":"user","content":"q"}],"chat_template_kwargs":{"chat_template":"{% for %}"}}' | chat-template -m two; echo "status $?"
echo '{"messages":[{"role":"user","content":"q"}],"chat_template_kwargs":{"chat_template":7}}' | chat-template -m two; echo "status $?"
echo "-- tools for records without them; one that says [] has none"
echo '[{"type":"function","function":{"name":"g"}}]' >tools.json
echo '{"chat_template":"{{ tools }}","eos_token":"</s>"}' >m/tokenizer_config.json
rm -rf m/*.jinja m/additional_chat_templates
ask --tools tools.json

# Plain chats through the bundled templates and through real ones of the same style: the same text.
D=$TEST_DATA/templates/templates
[ -d "$D" ] || { echo "no $D"; exit 77; }
cat >plain.jsonl <<'Y'
{"messages":[{"role":"user","content":"Hello there"},{"role":"assistant","content":"Hi."},{"role":"user","content":"오늘 날씨?"},{"role":"assistant","content":"좋습니다"}]}
{"messages":[{"role":"user","content":"Hello there"}],"chat_template_kwargs":{"add_generation_prompt":true}}
{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"}],"chat_template_kwargs":{"add_generation_prompt":true}}
Y
cat plain.jsonl - >all.jsonl <<'Y'
{"messages":[{"role":"system","content":"Be kind."},{"role":"user","content":"Hello"},{"role":"assistant","content":"Hi."},{"role":"user","content":"q2"},{"role":"assistant","content":"a2"}]}
Y
bad=0
same() { # style, real template, chats, bos, eos
    for t in "$1" "$D/$2.jinja"; do
        chat-template -q --template "$t" --kwarg bos_token="\"$4\"" --kwarg eos_token="\"$5\"" "$3.jsonl" | sed 's/,"spans".*//'
    done >both
    n=$(grep -c . "$3.jsonl")
    [ "$(wc -l <both)" = $((2 * n)) ] && [ "$(head -$n both)" = "$(tail -$n both)" ] || { echo "$1 differs from $2"; cat both; bad=1; }
}
same chatml ovgenai--NousResearch-Nous-Hermes-2-Mixtral-8x7B-DPO all '' '<|im_end|>'
same zephyr olmo--CHAT_TEMPLATES.zephyr all '' '</s>'
same llama2 hfjs--llama all '<s>' '</s>'
same llama2 mistralrs--llama2 all '<s>' '</s>'
same llama3 axolotl--llama3 all '<|begin_of_text|>' '<|eot_id|>'
same llama3 simpo--llama3 all '<|begin_of_text|>' '<|eot_id|>'
same mistral axolotl-tests--conftest.fixture_mistralv03_chat_template_jinja_w_system plain '<s>' '</s>'
same phi axolotl--phi_35 all '' '<|end|>'
same gemma axolotl-tests--conftest.fixture_gemma2_chat_template_jinja_w_system plain '<bos>' '<eos>'
same qwen ovms--chat_template_qwen3 all '' '<|im_end|>'
exit $bad

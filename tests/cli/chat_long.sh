# A chat of many calls whose numbers leave no span: every turn's end is found, without rendering
# the whole chat for each.
cat >t.jinja <<'T'
{%- for m in messages -%}
{%- if m.role == 'assistant' -%}<|assistant|>
{%- for c in m.tool_calls -%}<call>{{ c.function.name }} {{ c.function.arguments.x }}</call>{%- endfor -%}
{{ m.content }}
{%- elif m.role == 'tool' -%}<|observation|>{{ m.content }}
{%- else -%}<|user|>{{ m.content }}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}<|assistant|>{%- endif -%}
T
awk 'BEGIN {
    printf "{\"messages\":[{\"role\":\"user\",\"content\":\"go\"}"
    for (i = 1; i <= 150; i++)
        printf ",{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":{\"x\":%d}}}]}" \
               ",{\"role\":\"tool\",\"content\":\"r%d\"}", i, i
    print ",{\"role\":\"assistant\",\"content\":\"done\"}]}" }' >in
chat-template -q --template t.jinja in >out
# what is learnt, a line each
awk -F'"learn":' '{
    match($0, /"text":"[^"]*"/); text = substr($0, RSTART + 8, RLENGTH - 9)
    list = substr($2, 3); sub(/\]\].*/, "", list)
    n = split(list, v, /\],\[/)
    print n " ranges"
    for (i = 1; i <= n; i++) { split(v[i], r, ","); print substr(text, r[1] + 1, r[2] - r[1]) } }' out >learnt
sed -n '1,3p;100,102p;$p' learnt
grep -c '^<call>f [0-9]*</call><|observation|>$' learnt
# Answers of which nothing is printed, beyond the 64 for which the chat so far is rendered: the kind of
# place alone tells where they stand; behind nothing said at all, how many were not looked for is counted.
empties() {
    awk -v n="$1" -v q="$2" 'BEGIN {
        printf "{\"messages\":["
        for (i = 1; i <= n; i++) printf "%s{\"role\":\"user\",\"content\":\"%s\"},{\"role\":\"assistant\",\"content\":\"\"}", (i > 1 ? "," : ""), q
        print "]}" }'
}
empties 100 what | chat-template --template chatml 2>err | grep -o '"learn":.*\],"_ft' | tr '[' '\n' | grep -c '[0-9]'
cat err
empties 100 '' | chat-template --template chatml 2>err | grep -o '"learn":.*\],"_ft' | tr '[' '\n' | grep -c '[0-9]'
cat err

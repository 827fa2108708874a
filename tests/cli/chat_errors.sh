# What a template says when it refuses: the whole of it, on one line, nothing that moves a cursor; with the record's line.
row='{"messages":[{"role":"user","content":"q"}]}'
r() { chat-template -q "$@" 2>&1; echo "status $?"; }
echo "-- long, with control characters"
echo "{{ raise_exception('start \n\t\x1b[31m\x7f\u0085 ' ~ 'é' * 400 ~ ' end') }}" >long.jinja
echo "$row" | r --template long.jinja
echo "-- the same from two threads, set aside"
yes "$row" | head -n 2 | r --template long.jinja -j 2 --bad bad.jsonl
cmp <(yes "$row" | head -n 2) bad.jsonl && echo "set aside as they are"
echo "-- too long"
echo "{{ raise_exception('z' * 40000) }}" >huge.jinja
echo "$row" | r --template huge.jinja | sed 's/zz*/z.../'
echo "-- the template's own line"
printf '{%% for m in messages %%}\n{{ m.role }}\n{{ m.content + 1 }}\n{%% endfor %%}' >line.jinja
echo "$row" | r --template line.jinja
echo "-- what is no format"
chat-template -q --template chatml --bad /dev/null 2>&1 <<'Y'
{}
{"chosen":[{"role":"user","content":"q"}]}
{"prompt":[{"role":"user","content":"q"}],"chosen":[{"role":"user","content":"q"}]}
{"question":"q"}
Y
echo "-- messages of ShareGPT's form are rendered as they are, and counted"
echo '{{ messages|length }}' >any.jinja
echo '{"messages":[{"from":"human","value":"x"}]}' | chat-template --template any.jinja 2>&1 | sed 's/,"spans".*//'
echo '{"messages":[{"from":"human","value":"x"}]}' | chat-template --template any.jinja --map conversations=messages --convert 2>&1
echo "-- options that would do nothing"
for o in '--use=nope' '--use=prompt,' '--stop=' '--convert --explain=1' '--convert --split-turns' '--roles=a,,b'; do echo "$row" | r --template chatml $o | head -n 1; done

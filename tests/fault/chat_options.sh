# Options and folders that do not fit.
u() { chat-template "$@" </dev/null; echo "status $?" >&2; }
u
u --template nowhere
u --template zephyr --add-generation-prompt --continue-final-message
u --template zephyr --continue-field reasoning
u --template zephyr --split-turns --add-generation-prompt
u --template zephyr --kwarg x
u --template zephyr --kwarg =1
u --template zephyr --kwarg x=yes
u --template zephyr --kwarg add_generation_prompt=true
u --template zephyr --date 2025-13-01
u --template zephyr --date '2025-02-30 00:00:00'
u --template zephyr --date now
SOURCE_DATE_EPOCH=x u --template zephyr
u --template zephyr --roles a,,b
u --template zephyr --roles a,
u --template zephyr --learn-from=generation
u --template zephyr --tools nowhere
echo '{"a":1}' >o.json; u --template zephyr --tools o.json
echo '[1]' >o.json; u --template zephyr --documents o.json
echo '[' >o.json; u --template zephyr --documents o.json
u --show nowhere
printf '{%% if x %%}\n' >t.jinja; u --template t.jinja
printf '\n\n{%% extends "a" %%}\n' >t.jinja; u --template t.jinja
printf 'a\xff' >t.jinja; u --template t.jinja
u -m nowhere
mkdir m; u -m m
echo '[]' >m/tokenizer_config.json; u -m m
echo '{"chat_template":[{"name":"a"}]}' >m/tokenizer_config.json; u -m m
echo '{"chat_template":[{"name":"a","template":"x"}]}' >m/tokenizer_config.json; u -m m
u -m t.jinja

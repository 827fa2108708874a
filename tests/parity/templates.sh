# The template engine and chat-template against the installed transformers: random templates; real ones (of TEMPLATES, folders of
# *.jinja) with random conversations, as they are and with something in them changed; odd model folders. TIME seconds in all.
PY=${PYTHON:-python3}
HF_HUB_OFFLINE=1 "$PY" -c 'import transformers, jinja2' 2>/dev/null || { echo "no transformers to compare with (set PYTHON)"; exit 77; }
time=${TIME:-60} seed=${SEED:-$(date +%s)} fail=0
real=(${TEMPLATES:-$(ls -d "$TEST_DATA/templates/templates" "$TESTS/../templates/family" 2>/dev/null)})
"$PY" "$TESTS/parity/templates.py" "$B/tests/bench/templates" $((time * 2 / 5)) $seed || fail=1
"$PY" "$TESTS/parity/chat_templates.py" "$B/bin/chat-template" $((time / 5)) $seed "${real[@]}" || fail=1
"$PY" "$TESTS/parity/chat_templates.py" --mutate "$B/bin/chat-template" $((time / 5)) $seed "${real[@]}" || fail=1
"$PY" "$TESTS/parity/chat_model.py" "$B/bin/chat-template" $((time / 5)) $seed || fail=1
exit $fail

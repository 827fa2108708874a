# chat-template, JSON lines to JSON lines on one core, against the engine alone on the same renders.
PY=${PY:-python3}
[ -d "$TEST_DATA/templates" ] || { echo "no $TEST_DATA/templates"; exit 77; }
exec "$PY" "$TESTS/bench/chat_template.py" "$B/bin/chat-template" "$B/tests/bench/templates" "$TEST_DATA/templates"

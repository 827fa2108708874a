# tokenize --no-specials-in-content on rendered chats against sanitize_control_tokens of transformers.
PY=${PY:-python3}
$PY -c 'import transformers' 2>/dev/null || { echo "no python with transformers : PY=... names one"; exit 77; }
HF_HUB_OFFLINE=1 TRANSFORMERS_VERBOSITY=error exec $PY "$TESTS/parity/chat_marks.py" "$B/bin" "$TEST_DATA"

# What chat-template learns by provenance, and what {% generation %} blocks mark.
PY=${PY:-python3}
$PY -c 'import trl, transformers' 2>/dev/null || { echo "no python with trl and transformers : PY=... names one"; exit 77; }
HF_HUB_OFFLINE=1 TRANSFORMERS_VERBOSITY=error exec $PY "$TESTS/parity/chat_masks.py" "$B/bin" "$TEST_DATA"

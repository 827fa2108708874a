# tokenize, and tokenize | ft-pack, JSON lines in, beside the library alone on the same texts, on one core.
# Needs python3 and no packages. ARGS reaches tool_rate.py, such as --models gpt2 --texts en --two
PY=${PY:-python3}
DATA=${TEST_DATA:-$TESTS/../../shared/data}
[ -d "$DATA/tokenizers" ] || { echo "no tokenizers in $DATA"; exit 77; }
exec "$PY" "$TESTS/bench/tool_rate.py" "$B/bin" "$B/tests/bench/tokenizer" "$DATA" $ARGS

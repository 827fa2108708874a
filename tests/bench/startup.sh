# One line through tokenize: the process, with and without the compiled image, beside gigatoken where PY has it.
PY=${PY:-python3}
DATA=${TEST_DATA:-$TESTS/../../shared/data}
[ -d "$DATA/tokenizers" ] || { echo "no tokenizers in $DATA"; exit 77; }
exec "$PY" "$TESTS/bench/startup.py" "$B/bin/tokenize" "$DATA" $ARGS

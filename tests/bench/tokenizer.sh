# Ours beside Hugging Face tokenizers, gigatoken, tiktoken, sentencepiece, on one
# core and on all. PY names a Python that has them; ARGS reaches tokenizer.py.
PY=${PY:-python3}
DATA=${TEST_DATA:-$TESTS/../../shared/data}
[ -d "$DATA/tokenizers" ] || { echo "no tokenizers in $DATA"; exit 77; }
$PY -c 'import tokenizers' 2>/dev/null || echo "the peers are not installed: PY=... names a Python that has them"
prog=${B:-$TESTS/../build}/tests/bench/tokenizer
export HF_HUB_OFFLINE=1
for n in 1 $(nproc); do
    taskset -c 0-$((n - 1)) $PY "$TESTS/bench/tokenizer.py" "$prog" "$DATA" --threads "$n" $ARGS || exit 1
done

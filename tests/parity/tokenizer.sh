# tokenize and detokenize against the installed Hugging Face tokenizers, on fresh random texts, over all vocabularies of $TEST_DATA and
# over vocabularies put together at random: TIME seconds (make parity-tokenizer TIME=3600); ARGS reaches tokenizer.py.
PY=${PY:-python3}
$PY -c 'import tokenizers' 2>/dev/null || { echo "no tokenizers: PY=... names a Python that has them"; exit 77; }
# The library's panics would fill stderr.
RUST_BACKTRACE=0 HF_HUB_OFFLINE=1 TUNEUTILS_CACHE=off $PY "$TESTS/parity/tokenizer.py" --time "${TIME:-60}" $ARGS 2>stderr
status=$?
[ $status -le 1 ] || tail -5 stderr
exit $status

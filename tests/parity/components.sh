# Every component of a tokenizer.json with every value of its arguments, against the installed Hugging Face tokenizers: make parity-components.
PY=${PY:-python3}
$PY -c 'import tokenizers' 2>/dev/null || { echo "no tokenizers: PY=... names a Python that has them"; exit 77; }
RUST_BACKTRACE=0 $PY "$TESTS/parity/components.py" 2>stderr
status=$?
[ $status -le 1 ] || tail -5 stderr
exit $status

# .model and .tiktoken files against the installed sentencepiece and tiktoken; ARGS reaches vocabulary_files.py.
PY=${PY:-python3}
$PY -c 'import sentencepiece, tiktoken, tokenizers' 2>/dev/null || { echo "no sentencepiece, tiktoken and tokenizers: PY=... names a Python that has them"; exit 77; }
TUNEUTILS_CACHE=off $PY "$TESTS/parity/vocabulary_files.py" $ARGS

# Merges and ids of train-tokenizer beside those of the library's own trainer, on
# random words and on real text. PY names a Python that has tokenizers.
PY=${PY:-python3}
$PY -c 'import tokenizers' 2>/dev/null || { echo "no tokenizers library: PY=... names a Python that has it"; exit 77; }
HF_HUB_OFFLINE=1 $PY "$TESTS/parity/train_tokenizer.py" "${ROUNDS:-150}"

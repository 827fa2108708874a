# Training beside tokenizers' BpeTrainer on the same text, on one core and on
# all. PY names a Python that has it; MB says how much text.
PY=${PY:-python3}
$PY -c 'import tokenizers' 2>/dev/null || { echo "no tokenizers library: PY=... names a Python that has it"; exit 77; }
export HF_HUB_OFFLINE=1
for n in 1 $(nproc); do
    taskset -c 0-$((n - 1)) $PY "$TESTS/bench/train-tokenizer.py" "${MB:-10}" "$n" || exit 1
    [ "$n" = "$(nproc)" ] && break
done

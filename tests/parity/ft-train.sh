# Against trl, peft and transformers where they are installed (PYTHON names the interpreter): on pretrained models, 20 steps of
# SFT from one first adapter, and of all weights, step by step; then what we write is loaded by peft and transformers.
PYTHON=${PYTHON:-python3}
"$PYTHON" -c 'import peft, torch, transformers, trl' 2>/dev/null || { echo "no trl, peft, transformers for '$PYTHON' (PYTHON)"; exit 77; }
[ -d "$TEST_DATA/models" ] || { echo "no models in '$TEST_DATA'"; exit 77; }
exec "$PYTHON" "$TESTS/parity/ft-train.py" 2> >(grep -vi warn >&2)

# Against transformers where it is installed (PYTHON names the interpreter): small random models of each family and variation, as
# save_pretrained writes them, in one file and in several, have the reference's loss; ft-merge's and ft-train's outputs load again.
PYTHON=${PYTHON:-python3}
"$PYTHON" -c 'import torch, transformers' 2>/dev/null || { echo "no transformers for '$PYTHON' (PYTHON)"; exit 77; }
exec "$PYTHON" "$TESTS/parity/ft-eval.py" 2> >(grep -vi 'warn\|loading\|writing\|generation' >&2)

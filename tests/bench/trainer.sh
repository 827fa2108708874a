# Training steps beside PyTorch's on the same sizes and threads. PY names a Python
# that has torch, transformers and peft; ARGS reaches trainer.py.
PY=${PY:-python3}
$PY -c 'import torch, transformers, peft' 2>/dev/null || { echo "no torch, transformers and peft: PY=... names a Python that has them"; exit 77; }
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE # an environment that forces old kernels halves what is measured
$PY "$TESTS/bench/trainer.py" "$B/tests/bench/trainer" --threads 2 $ARGS 2>/dev/null

# Log-probabilities, losses, logits, gradients and greedy tokens of real models, and of
# models of every family, against the transformers and peft that are installed.
PY=${PY:-python3}
DATA=${TEST_DATA:-$ROOT/../shared/data}
$PY -c 'import torch, transformers, peft' 2>/dev/null || { echo "no transformers and peft: PY=... names a Python that has them"; exit 77; }
make -s -C "$ROOT" B="$B" "$B/tests/unit/trainer_golden" || exit 1
$PY -c 'import torch, transformers as t, peft; print("torch", torch.__version__, "transformers", t.__version__, "peft", peft.__version__)'
mkdir made real
$PY "$TESTS/golden/trainer/record.py" made 2>/dev/null || exit 1
FT_GOLDEN=$PWD/made "$B/tests/unit/trainer_golden" || exit 1
[ -d "$DATA/models" ] || { echo "no models in $DATA"; exit 0; }
$PY "$TESTS/golden/trainer/record.py" real "$DATA"/models/* 2>/dev/null || exit 1
FT_GOLDEN=$PWD/real FT_GOLDEN_SHOW=1 "$B/tests/unit/trainer_golden" >out; status=$?
grep -E 'logp|logits|PASS|FAIL|off by' out
exit $status

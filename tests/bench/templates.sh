# The engine against the installed transformers on the same renders: real templates where $TEST_DATA has them.
# Ratios per render and per compile; numbers of one run on one machine, one core each.
PY=${PYTHON:-python3}
HF_HUB_OFFLINE=1 "$PY" -c 'import transformers, jinja2' 2>/dev/null || { echo "no transformers to compare with"; exit 77; }
exec "$PY" "$TESTS/bench/templates.py" "$B/tests/bench/templates" "${TEST_DATA:-$TESTS/../../shared/data}/templates"

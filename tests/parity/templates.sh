# Random templates and data through the installed transformers and through the engine.
PY=${PYTHON:-python3}
HF_HUB_OFFLINE=1 "$PY" -c 'import transformers, jinja2' 2>/dev/null || { echo "no transformers to compare with (set PYTHON)"; exit 77; }
exec "$PY" "$TESTS/parity/templates.py" "$B/tests/bench/templates" "${TIME:-60}" "${SEED:-$(date +%s)}"

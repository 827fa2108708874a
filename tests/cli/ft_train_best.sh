# A run that gets worse ends early, keeps the best checkpoint, and gives its weights when asked.
G=$TESTS/golden/trainer
head -20 "$G/rows.jsonl" | ft-pack -o d --length 64 --strategy none 2>/dev/null
tail -5 "$G/rows.jsonl" | ft-pack -o e --length 64 --strategy none 2>/dev/null
cat >run.conf <<'X'
# names as in transformers' TrainingArguments
learning_rate = 3
lr_scheduler_type = constant
warmup_steps = 0
per_device_train_batch_size = 4
gradient_accumulation_steps = 1
X
t() { ft-train sft -m "$G/tiny" -d d --eval-data e --config run.conf --eval-steps 1 --save-total-limit 1 -q "$@" 2>/dev/null; }
loss() { sed 's/.*"loss": \([0-9.e+]*\),.*/\1/'; }
t -o tuned --max-steps 60 --early-stopping-patience 4 --load-best-model-at-end --lora-r 4; echo "status $?"
best=$(sed -n 's/.*"best_step": \([0-9]*\)}.*/\1/p' tuned/run.json) last=$(sed -n 's/.*"result": {"step": \([0-9]*\),.*/\1/p' tuned/run.json)
grep -o '"state": "[a-z ]*"' tuned/run.json
echo "it ended $((last - best)) steps behind the best, $([ "$last" -lt 60 ] && echo early)"
[ -d "tuned/checkpoint-$best" ] && [ -d "tuned/checkpoint-$last" ] && echo "best and last are kept"; ls -d tuned/checkpoint-* | wc -l
a=$(ft-eval -m "$G/tiny" --adapter tuned -d e 2>/dev/null | loss) b=$(ft-eval -m "$G/tiny" --adapter "tuned/checkpoint-$best" -d e 2>/dev/null | loss)
[ "$a" = "$b" ] && echo "the outputs are the best's"
cmp -s tuned/adapter_model.safetensors "tuned/checkpoint-$last/adapter_model.safetensors" || echo "and not the last's"
grep -c '"eval_loss"' tuned/log.jsonl | awk -v n="$last" '{ print ($1 == n) ? "an evaluation each step" : "evaluations: " $1 }'
cp tuned/adapter_model.safetensors x; t -o tuned --max-steps 60 --early-stopping-patience 4 --load-best-model-at-end --lora-r 4 --resume; echo "status $?"
cmp x tuned/adapter_model.safetensors && echo "resumed: it had ended"

# By epochs, and never; options that say what the adapter is are taken.
n() { ft-train sft -m "$G/tiny" -d d -q --adapter "$G/tiny-adapter" --lora-r 4 --lora-alpha 8 --per-device-train-batch-size 5 \
    --gradient-accumulation-steps 1 --num-train-epochs 2 --logging-steps 8 "$@" 2>/dev/null; }
n -o epochs --eval-data e --eval-strategy epoch --save-strategy epoch --save-total-limit 0; ls -d epochs/checkpoint-*; grep -o '"step": [0-9]*, "epoch": [0-9.]*, "eval_loss"' epochs/log.jsonl
n -o never --eval-strategy no --save-strategy no; ls -d never/checkpoint-*; grep -c eval never/log.jsonl; grep -o '"documents": [0-9]*' never/run.json
# The options that a run recorded make it again.
for r in tuned epochs never; do
    sed -n 's/^  "options": \(.*\),$/\1/p' $r/run.json >c.json
    ft-train sft --config c.json -o $r-again 2>/dev/null && cmp $r/log.jsonl $r-again/log.jsonl && echo "$r: again"
done

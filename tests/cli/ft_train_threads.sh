# The same bytes for one thread and for several, for any cut into micro-batches the same losses, and a run that begins again gives itself.
G=$TESTS/golden/trainer
ft-pack -o d --length 64 --strategy none <"$G/rows.jsonl" 2>/dev/null
t() { ft-train sft -m "$G/tiny" -d d -q --max-steps 8 --lora-r 4 --lora-dropout 0.1 --gradient-accumulation-steps 2 \
    --per-device-train-batch-size 3 --eval-share 0.2 --eval-steps 3 "$@" 2>/dev/null || echo "status $?"; }
t -o one -j1
t -o four -j4
t -o again -j1
t -o other --seed 7
cmp one/adapter_model.safetensors four/adapter_model.safetensors && cmp one/log.jsonl four/log.jsonl && echo "one thread, four: the same bytes"
cmp one/checkpoint-8/optimizer.safetensors four/checkpoint-8/optimizer.safetensors && echo "and the same moments"
cmp one/adapter_model.safetensors again/adapter_model.safetensors && echo "again: the same"
cmp -s one/adapter_model.safetensors other/adapter_model.safetensors || echo "another seed: others"
# Accumulation is the batch: 1 x 4 rows or 4 x 1, the short last window of 25 rows too.
w() { ft-train sft -m "$G/tiny" -d d -q --max-steps 14 --logging-steps 1 --eval-share 0 --train-sampling-strategy sequential \
    --learning-rate 1e-3 --per-device-train-batch-size "$1" --gradient-accumulation-steps "$2" -o "b$1" 2>/dev/null; }
w 4 1; w 1 4; w 2 2
for o in b1 b2; do paste b4/log.jsonl $o/log.jsonl | awk -F '"loss": |, "grad_norm": |, "learning_rate": ' '
    function off(a, b) { a = (a - b) / a; return a < 0 ? -a : a }
    { n++; if (off($2, $5) > 1e-6 || off($3, $6) > 1e-5) { print "step " n ": " $2 " " $3 ", cut otherwise " $5 " " $6 } } END { print n " steps compared" }'; done

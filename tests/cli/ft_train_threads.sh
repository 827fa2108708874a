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

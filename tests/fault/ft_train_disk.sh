# A full disk, a lost log, a second process, an end by signal: said, and the run goes on afterwards to the same bytes.
G=$TESTS/golden/trainer
ft-pack -o d --length 64 --strategy none <"$G/rows.jsonl" 2>/dev/null
t() { ft-train sft -m "$G/tiny" -d d -q -j2 --max-steps 10 --save-steps 2 --logging-steps 1 --eval-share 0 --gradient-accumulation-steps 2 \
    --per-device-train-batch-size 2 "$@" 2>&1 | grep -v warning | sed 's,knows [0-9]*,knows N,'; } # its length depends on the CPU
t -o whole
# No file longer than 40 KiB: the model has 76.
(trap '' XFSZ; ulimit -f 40; t -o run)
ls -A run
t -o run --resume
cmp whole/model.safetensors run/model.safetensors && cmp whole/log.jsonl run/log.jsonl && echo "after a full disk: the same"

: >run/log.jsonl
t -o run --resume
t -o run --force
cmp whole/model.safetensors run/model.safetensors && echo "forced: the same"

mkfifo hold; flock run/log.jsonl cat hold & sleep 0.3
t -o run --resume
echo >hold; wait

# Every checkpoint damaged: it begins again.
for c in run/checkpoint-*; do echo >>$c/model.safetensors; done
ft-train sft -m "$G/tiny" -d d -q -j2 --max-steps 10 --save-steps 2 --logging-steps 1 --eval-share 0 --gradient-accumulation-steps 2 \
    --per-device-train-batch-size 2 -o run --resume 2>&1 | grep checkpoint
cmp whole/model.safetensors run/model.safetensors && echo "begun again: the same"

# SIGTERM: the step is finished, a checkpoint written.
rm -rf run
l() { exec ft-train sft -m "$G/tiny" -d d -q -j2 --max-steps 3000 --save-steps 2500 --logging-steps 1000 --eval-share 0 --gradient-accumulation-steps 1 \
    --per-device-train-batch-size 1 --max-grad-norm 0.1 "$@" 2>/dev/null; }
l -o long &
while [ ! -s long/run.json ]; do sleep 0.01; done; sleep 0.1; kill -TERM $!; wait $!; s=$?
if [ $s = 143 ]; then ls long | grep -c checkpoint; else echo "1: it had ended: $s"; fi
(l -o long --resume); (l -o straight)
cmp long/model.safetensors straight/model.safetensors && cmp long/log.jsonl straight/log.jsonl && echo "after a signal: the same"

# Foreign data all the way: questions and answers as JSONL, a pretrained model, an adapter whose evaluation loss falls.
M=$TEST_DATA/models/TinyStories-656K D=$TEST_DATA/datasets/gsm8k
[ -d "$M" ] && [ -d "$D" ] || { echo "no TinyStories-656K or gsm8k in '$TEST_DATA'"; exit 77; }
set -euo pipefail
pipe() { # FILE LINES SHARDS
    head -"$2" "$D/$1.jsonl" | tokenize -m "$M" --map prompt=question,completion=answer | mask-completion | ft-pack -o "$3" --length 512
}
pipe train 240 train
pipe test 30 test
ft-shard verify train
ft-train sft -m "$M" -d train -o run --eval-data test --lora-r 8 --learning-rate 1e-3 --max-steps 24 --gradient-accumulation-steps 1 \
    --per-device-train-batch-size 8 --eval-steps 8 -j2
grep -o '"eval_loss_per_token": [0-9.]*' run/log.jsonl | awk '{ if (NR > 1 && $2 >= last) bad = 1; last = $2 } END { if (NR < 3 || bad) { print "the evaluation loss does not fall"; exit 1 } }'
before=$(ft-eval -m "$M" -d test) after=$(ft-eval -m "$M" --adapter run -d test)
ft-merge -m "$M" --adapter run -o merged
merged=$(ft-eval -m merged -d test)
echo "before $before"; echo "after  $after"; echo "merged $merged"
loss() { sed 's/.*"loss": \([0-9.]*\),.*/\1/' <<<"$1"; }
awk -v b="$(loss "$before")" -v a="$(loss "$after")" -v m="$(loss "$merged")" 'BEGIN { d = a - m; exit !(a < b - 0.1 && d < 1e-5 && d > -1e-5) }' ||
    { echo "the adapter does not help, or merging it changes it"; exit 1; }

# Twenty steps each, against what trl's SFTTrainer logged (golden/trainer/record_traces.py): loss, norm before clipping,
# learning rate, entropy, accuracy, tokens, epoch.
G=$TESTS/golden/trainer
ft-pack -o rows --length 64 --strategy none <"$G/rows.jsonl" 2>/dev/null
ft-pack -o packed --length 48 --strategy bfd --pack-window 1000 <"$G/rows.jsonl" 2>/dev/null

trace() { # NAME DATA OPTIONS
    n=$1 d=$2; shift 2
    ft-train sft -m "$G/tiny" -d "$d" -o "run-$n" -q --per-device-train-batch-size 2 --per-device-eval-batch-size 2 --max-steps 20 \
        --train-sampling-strategy sequential --logging-steps 1 --eval-data rows --allow-overlap --eval-steps 20 "$@" 2>/dev/null ||
        echo "$n: status $?"
    awk -v name="$n" '
        function num(line, key) { return match(line, "\"" key "\": [-0-9.e+]+") ? substr(line, RSTART + length(key) + 4, RLENGTH - length(key) - 4) + 0 : "none" }
        FNR == NR { if (/"loss"/) want[++n] = $0; else after = num($0, "after"); next }
        /"eval_loss"/ { eval = num($0, "eval_loss"); next }
        { k = ++i; split("step epoch loss grad_norm learning_rate entropy num_tokens mean_token_accuracy", keys)
          for (j in keys) { a = num(want[k], keys[j]); b = num($0, keys[j]); d = a - b; if (d < 0) d = -d
              if (a == "none" || b == "none" || !(d <= 1e-5 * (a < 0 ? -a : a) + 1e-12)) { print name ": step " k ": " keys[j] " " b ", trl " a; bad = 1 } } }
        END { d = after - eval; if (d < 0) d = -d
              if (name != "packed" && !(d <= 1e-5)) { print name ": eval loss " eval ", trl " after; bad = 1 }
              print name ": " i " of " n " steps" (bad ? "" : " as trl") }' "$G/trace-$n.jsonl" "run-$n/log.jsonl"
}
A="--adapter $G/tiny-adapter"
trace lora rows $A --gradient-accumulation-steps 1 --learning-rate 2e-3 --lr-scheduler-type cosine --warmup-steps 3
trace lora-ga4 rows $A --gradient-accumulation-steps 4 --learning-rate 5e-3 --lr-scheduler-type linear --warmup-steps 0 --max-grad-norm 0.5
trace full rows --gradient-accumulation-steps 1 --learning-rate 1e-3 --lr-scheduler-type constant --weight-decay 0.1
trace full-ga4 rows --gradient-accumulation-steps 4 --learning-rate 1e-3 --warmup-steps 0 --weight-decay 0.1 --max-grad-norm 0
trace packed packed $A --gradient-accumulation-steps 2 --learning-rate 2e-3 --lr-scheduler-type linear --warmup-steps 0

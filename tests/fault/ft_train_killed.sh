# Killed at any instant, again and again, a run goes on to the bytes of one that nobody killed: adapter or all weights, with
# accumulation, dropout, a short last window, evaluation and a limit on checkpoints.
G=$TESTS/golden/trainer
ft-pack -o d --length 64 --strategy none <"$G/rows.jsonl" 2>/dev/null
run() { # RUN OPTIONS
    r=$1; shift
    $KILL ft-train sft -m "$G/tiny" -d d -o "$r" -q -j2 --resume --max-steps 24 --gradient-accumulation-steps 4 \
        --per-device-train-batch-size 2 --eval-share 0.2 --eval-steps 4 --logging-steps 3 --save-steps 2 "$@" 2>/dev/null
}
killed() { # NAME OPTIONS
    n=$1 ms=1 kills=0; shift
    until KILL="timeout -s KILL $(printf 0.%03d $ms)" run "$n-killed" "$@"; do
        kills=$((kills + 1)) ms=$((ms + 7 + RANDOM % 6))
        [ $ms -lt 990 ] || { KILL= run "$n-killed" "$@"; break; }
        # Now and then a second accident: the newest checkpoint is damaged, and the one before must do.
        c=$(ls -d "$n-killed"/checkpoint-* 2>/dev/null | sort -V | tail -1)
        [ $((kills % 9)) != 5 ] || [ -z "$c" ] || printf x | dd of="$c/optimizer.safetensors" bs=1 seek=2000 conv=notrunc 2>/dev/null
    done
}
check() { # NAME FILE OPTIONS
    n=$1 f=$2; shift 2
    KILL= run "$n" "$@" || echo "$n: status $?"
    killed "$n" "$@" 2>/dev/null # bash tells of each kill on stderr
    [ $kills -ge 3 ] || echo "$n: only $kills kills"
    for x in "$f" log.jsonl checkpoint-24/optimizer.safetensors checkpoint-24/state.json; do
        cmp "$n/$x" "$n-killed/$x" || echo "$n: $x differs after $kills kills"
    done
    [ "$(cd "$n" && ls -A)" = "$(cd "$n-killed" && ls -A)" ] || { echo "$n: other files"; ls -A "$n" "$n-killed"; }
    echo "$n: the same after being killed"
}
check lora adapter_model.safetensors --lora-r 4 --lora-dropout 0.1
check full model.safetensors --weight-decay 0.1 --train-sampling-strategy sequential
echo '-- killed between the last save and its pruning'
cp -r lora/checkpoint-22 lora/checkpoint-20
KILL= run lora --lora-r 4 --lora-dropout 0.1; echo "status $?"
(cd lora && echo checkpoint-*)

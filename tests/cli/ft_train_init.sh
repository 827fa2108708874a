# From text to a model of one's own: vocabulary, random weights, pre-training, tuning, merging; and the vocabulary is guarded.
text() { awk -v n="$1" 'BEGIN { srand(3); split("the a one two red blue small cat dog bird sees likes finds and then", w, " ")
    for (i = 0; i < n; i++) { s = ""; for (j = 0; j < 12; j++) s = s (j ? " " : "") w[int(rand() * 15) + 1]; printf "{\"text\":\"%s.\"}\n", s } }'; }
text 300 >t.jsonl
train-tokenizer -o tok --vocab-size 300 --special-tokens '<s>,</s>' <t.jsonl 2>/dev/null
tokenize -m tok <t.jsonl 2>/dev/null | ft-pack -o d -m tok --length 64 2>/dev/null
echo '{"model_type":"llama","hidden_size":32,"intermediate_size":64,"num_hidden_layers":2,"num_attention_heads":4,
"num_key_value_heads":2,"max_position_embeddings":64,"tie_word_embeddings":true}' >c.json
ft-train pretrain --init c.json -m tok -d d -o base --max-steps 60 --learning-rate 0.01 --per-device-train-batch-size 4 --gradient-accumulation-steps 2 -j2 --eval-steps 20 2>&1 | grep -v tok/s | sed -E 's/tuneutils.*float32, .*/float32/; s/(eval loss|perplexity|mean loss|best evaluation) [0-9.]+/\1 X/g'
ls base
head -c 14 base/config.json | tail -c 12; echo
ft-train pretrain --init c.json -m tok -d d -o again --max-steps 60 --learning-rate 0.01 --per-device-train-batch-size 8 --gradient-accumulation-steps 1 -j1 --eval-steps 20 -q
for r in base again; do ft-eval -m $r -d d; done | sed 's/.*"loss": \([0-9.]*\),.*/\1/' |
    awk '{ d = $1 - last; last = $1 } END { print (d * d < 1e-6 ? "cut otherwise: the same model" : "cut otherwise: off by " d) }'
ft-train sft -m base -d d -o tuned --lora-r 2 --target-modules q_proj,v_proj --max-steps 4 -q 2>/dev/null
ft-merge -m base --adapter tuned -o merged
for m in "base" "base --adapter tuned" "merged"; do ft-eval -m $m -d d | awk '{ sub(/^.*"loss": /, ""); print (($1 + 0 < 3.2) ? "learnt" : "not learnt: " $1) }'; done

ft-merge -m base --adapter tuned -o merged; echo "status $?"
text 9 | sed 's/cat/katt/g' >u.jsonl
train-tokenizer -o other --vocab-size 290 u.jsonl 2>/dev/null
tokenize -m other <u.jsonl 2>/dev/null | ft-pack -o e --length 64 2>/dev/null
hide() { sed -E 's/[0-9a-f]{32}:[0-9a-f]{32}/FINGERPRINT/g'; }
{ ft-train sft -m base -d e -o x; echo "status $?"; ft-eval -m base -d e; echo "status $?"; ft-train sft -m base -d d -o x --eval-data e; echo "status $?"; } 2>&1 | hide
ls x 2>&1
ft-eval -m base -d d >/dev/full; echo "status $?"

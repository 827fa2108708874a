# The demo's data are the same bytes everywhere, and its small scripts count right.
q=$TESTS/../datasets/questions
"$q/generate" data && cksum data/*
for f in base base-test chat; do dedupe -q data/$f.jsonl | wc -l; done
# no question of the test was asked in tuning
sed 's/.*"content": "\([^"]*\)"}\], "answer".*/\1/' data/test.jsonl | sort -u >asked
sed 's/.*"user", "content": "\([^"]*\)".*/\1/' data/chat.jsonl | sort -u >tuned
comm -12 asked tuned | wc -l
cat >answers.jsonl <<'END'
{"prompt": "<|im_start|>user\nQ1<|im_end|>\n", "answer": "Yes.", "about": "new", "text": "Yes.<|im_end|>"}
{"prompt": "<|im_start|>user\nQ2<|im_end|>\n", "answer": "Yes.", "about": "new", "text": "No.<|im_end|>"}
{"prompt": "<|im_start|>user\nQ3<|im_end|>\n", "answer": "예.", "about": "known", "text":"예."}
END
"$q/score" answers.jsonl; echo
"$q/answers" answers.jsonl
printf '%s\n' '{"step": 10, "loss": 2.0}' '{"step": 10, "eval_loss": 9}' '{"step": 20, "epoch": 1, "loss": 0.5}' | "$q/curve"

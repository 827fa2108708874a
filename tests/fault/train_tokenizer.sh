# Bad input, and outputs that cannot be: nothing is left half written.
s() { "$@"; echo "status $?"; }
echo '{"text":"some text, some more text"}' >a.jsonl
echo "-- usage"
s train-tokenizer a.jsonl
s train-tokenizer a.jsonl -o d --vocab-size 100
s train-tokenizer a.jsonl -o d --vocab-size 257 --special-tokens '<a>,<b>'
s train-tokenizer a.jsonl -o d --vocab-size 3e9
s train-tokenizer a.jsonl -o d --add-bos
s train-tokenizer a.jsonl -o d --limit-alphabet 10
s train-tokenizer a.jsonl -o d --type sentencepiece --no-byte-fallback --unk ''
for o in '--type sentencepiece --split gpt2' '--type sentencepiece --split-regex a' --byte-fallback '--prefix-space always' '--split gpt2 --split-regex a'; do
    s train-tokenizer a.jsonl -o d $o
done
s train-tokenizer a.jsonl -o d -S 100
echo "-- a pattern that is none"
s train-tokenizer a.jsonl -o d --split-regex '(a'
echo "-- nothing to learn from"
s train-tokenizer -o d </dev/null
echo '{"text":""}' | s train-tokenizer -o d
echo "-- more characters than tokens"
echo '{"text":"가나다라마바사아자차카타파하"}' | s train-tokenizer -o d --type sentencepiece --vocab-size 262
echo "-- records"
printf '{"text":"a"}\n{"text":5}\n' | s train-tokenizer -o d
printf '{"text":"a"}\n{"texts":"b"}\n' | s train-tokenizer -o d
printf '{"text":"a"}\n{"text":"b"\n' | s train-tokenizer -o d
printf '{"messages":[{"content":7}]}\n' | s train-tokenizer -o d
printf '{"text":"a b"}\n{"text":"\\ud800"}\n{"text":"a b"}\n' | s train-tokenizer -o set --bad bad.jsonl --vocab-size 258
echo "-- extending"
train-tokenizer -q a.jsonl -o base --vocab-size 260
s train-tokenizer a.jsonl -o d --extend base --vocab-size 260
s train-tokenizer a.jsonl -o d --extend base --vocab-size 261 --special-tokens '<a>,<b>'
s train-tokenizer a.jsonl -o d --extend base --split gpt2
s train-tokenizer a.jsonl -o d --extend none
mkdir wp
echo '{"model":{"type":"WordPiece","vocab":{"[UNK]":0},"unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100}}' >wp/tokenizer.json
s train-tokenizer a.jsonl -o d --extend wp
sed 's/"end_of_word_suffix": null/"end_of_word_suffix": "<\/w>"/' base/tokenizer.json >suffix.json
s train-tokenizer a.jsonl -o d --extend suffix.json
sed 's/"merges": \[/"merges": ["xyz",/' base/tokenizer.json >merge.json
s train-tokenizer a.jsonl -o d --extend merge.json
echo "-- a stage before fails: nothing is made"
s ft-pipe -q "dedupe none.jsonl | train-tokenizer -o d --vocab-size 300"
echo "-- outputs"
[ -e d ] || echo 'no d'
mkdir there
s train-tokenizer a.jsonl -o there
s train-tokenizer a.jsonl -o no/such/place
s train-tokenizer a.jsonl -o a.jsonl --force
s train-tokenizer a.jsonl -o n --chat-template none.jinja
echo keep >there/model.safetensors
s train-tokenizer -q a.jsonl -o there/ --force --vocab-size 258
ls there
echo "-- written into, but not whole: what was there stays"
mkdir -p full/tokenizer_config.json.tmp
echo old >full/tokenizer.json
s train-tokenizer -q a.jsonl -o full --force --vocab-size 258
ls full
cat full/tokenizer.json
mkdir -p part/tokenizer.json
s train-tokenizer -q a.jsonl -o part --force --vocab-size 258
ls part
ls -d *tmp* 2>/dev/null || echo 'nothing left'

# What tokenize and detokenize do with records; that ids are right is unit/tok_golden's.
export TUNEUTILS_CACHE=off
G=$TESTS/golden/tokenizer
ids() { sed 's/,* *"_ft": *{[^}]*}//'; }
t() { tokenize -q -m "$G/$1.json" "${@:2}"; }
row='{"text": "the mill", "q": "all day", "n": 0.10}'

echo "# what is added, and where"
echo "$row" | t byte-llama3 | ids
echo "$row" | t byte-llama3 --add-special-tokens=no --append-eos=no --offsets=byte | ids
echo '{"text": "물방앗간 é", "input_ids": "old"}' | t sp-llama2 --offsets=char | ids
echo "# members and pairs"
echo "$row" | t wordpiece-uncased --field q | ids
echo "$row" | t wordpiece-uncased --field q --field text --offsets=char | ids
echo "$row" | t wordpiece-uncased --pair q | ids
echo "$row" | t wordpiece-uncased --field nothing; echo "status $?"
echo "$row" | t wordpiece-uncased --pair q --field a --field b; echo "status $?"
echo "# too long"
echo "$row" | t wordpiece-uncased --max-length 3 | ids
echo "$row" | t wordpiece-uncased --max-length 3 --truncation-side=left | ids
echo "$row" | t wordpiece-uncased --pair q --max-length 6 --truncation-strategy=only-second | ids
echo "$row" | tokenize -m "$G/wordpiece-uncased.json" --max-length 3 --too-long=drop
echo "$row" | t wordpiece-uncased --max-length 3 --too-long=error; echo "status $?"
echo "$row" | t wordpiece-uncased --max-length 1; echo "status $?"
echo "# spans and learn"
spans='{"text": "<s>the mill</s>", "spans": [[3,11,0,"content","user",1]], "learn": [[3,6],[11,15]]}'
echo "$spans" | t byte-llama3 | ids
echo "$spans" | t byte-llama3 --boundary=inside | ids
echo "$spans" | t byte-llama3 --max-length 3 | ids
echo "# blanks that are trimmed to nothing go with what is behind them, with places asked for or not"
for o in --offsets=byte ""; do
  echo '{"text": "x      <s>  ]", "spans": [[8,9,0,"content","user",1],[12,13,1,"content","assistant",3]]}' | t byte-llama3 --boundary=overlap $o | ids
done
sed -E 's/,\{"type":"Strip"[^]]*\]/]/; s/"pre_tokenizer":\{[^}]*\}/"pre_tokenizer":{"type":"WhitespaceSplit"}/' "$G/unigram-t5.json" >spaced.json # shifts places behind what it takes away at the front
for o in --offsets=byte ""; do
  echo '{"text": "\ufeffthe mill turned all day", "spans": [[8,11,0,"content","user",1]]}' | tokenize -q -m spaced.json --boundary=overlap --append-eos=no $o | ids
done
echo "# special tokens in content"
in='{"text": "<s>a<s>b</s>", "spans": [[3,8,0,"content","user",1]]}'
echo "$in" | tokenize -m "$G/byte-llama3.json" 2>&1 | ids
echo "$in" | t byte-llama3 --no-specials-in-content | ids
echo '{"text": "a<s>b"}' | t byte-llama3 --no-specials-in-content --add-special-tokens=no | ids
echo "# prompt and completion, preferences"
echo '{"prompt": "the mi", "completion": "ll turned"}' | t byte-llama3 | ids
echo '{"prompt": "the mi", "completion": "ll turned"}' | t byte-llama3 --max-length 4 | ids
echo '{"prompt": "the", "chosen": " mill", "rejected": " well"}' | t byte-llama3 --max-length 3 | ids
echo "# other vocabularies"
echo "$row" | tokenize -q -m "$G/spm-bpe.model" | ids
cp "$G/tik-cl100k.tiktoken" ranks.tiktoken
echo "$row" | tokenize -q -m ranks.tiktoken; echo "status $?"
echo "$row" | tokenize -q -m ranks.tiktoken --split cl100k --append-eos=no | ids
echo "# a rule in tiktoken's syntax, and what it drops; the token of no bytes"
echo "= 999" >>ranks.tiktoken
echo '{"text": "ab 1234 12\nno mill"}' | tokenize -q -m ranks.tiktoken --split '\p{N}{1,3}+\p{N}|^\p{L}++|\p{L}+$' --append-eos=no | ids
mkdir empty; tokenize -q -m empty; echo "status $?"
tokenize -q -m nowhere; echo "status $?"
echo '{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a b"]}}' >bad.json; tokenize -q -m bad.json; echo "status $?"
echo '{"model": {"type": "BPE", "vocab": {"a": 999999999}, "merges": []}}' >big.json; tokenize -q -m big.json; echo "status $?"
echo '{"model": ' >cut.json; tokenize -q -m cut.json; echo "status $?"
echo '{"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "\\X"}, "behavior": "Isolated", "invert": false}, "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}}' >x.json
tokenize -q -m x.json; echo "status $?"
echo '{"truncation": {"max_length": 8}, "padding": {}, "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}}' >asks.json
echo '{"text": "aa"}' | tokenize -m asks.json | ids
echo "# options that would do nothing"
for o in --too-long=drop --truncation-side=left --truncation-strategy=only-first '--max-length=3 --truncation-strategy=only-first'; do
    tokenize -q -m asks.json $o </dev/null; echo "status $?"
done
echo "# looking"
tokenize --info -m "$G/byte-llama3.json" | grep -v fingerprint
mkdir config; cp "$G/byte-llama3.json" config/tokenizer.json
echo '{"tokenizer_class": "LlamaTokenizerFast", "bos_token": "<s>", "add_bos_token": false, "eos_token": "</s>", "add_eos_token": true, "clean_up_tokenization_spaces": true,
 "added_tokens_decoder": {"0": {"content": "<s>", "special": true}, "1": {"content": "</s>", "rstrip": true}, "999": {"content": "<x>"}}}' >config/tokenizer_config.json
tokenize --info -m config | tail -1
v() { printf '%s\n' "$1" >gold; tokenize --verify gold -m "$G/byte-llama3.json"; echo "status $?"; }
v '{"text":"x"}'
v '{"t":"<s>a","ids":[0,66],"skip":"<s>a"}'
v '{"ids":[0,66],"dec":"<s>a","skip":"a"}'
v '{"ids":[0,66,1.5],"dec":"<s>a"}'
v '{"t":"a","ids":[66'
head -43 "$G/byte-llama3.jsonl" >golden; tokenize --verify golden -m "$G/byte-llama3.json"; echo "status $?"
head -8 golden | tokenize --verify /dev/stdin -m "$G/byte-qwen.json"; echo "status $?"
echo "# back"
echo '{"input_ids": [0, 280, 100000, 281, 1]}' | detokenize -m "$G/byte-llama3.json"
echo '{"input_ids": [0, 280, 281, 1], "output_ids": [281]}' | detokenize -q -m "$G/byte-llama3.json" --skip-special-tokens
echo '{"input_ids": [0, 100000]}' | detokenize -q -m "$G/byte-llama3.json" --unknown-ids=error; echo "status $?"
echo '{"text": "방a"}' | t byte-llama3 --add-special-tokens=no --append-eos=no | grep -o '\[[0-9, ]*\]' | tr -d '[] ' | tr , '\n' | grep . |
  sed 's/.*/{"input_ids": [&]}/' | detokenize -q --stream -m "$G/byte-llama3.json" | grep -o '"text".*'
printf '{"input_ids": [%d]}\n' 68 231 | detokenize -q --stream -m "$G/sp-llama2.json" | grep -o '"text".*' # a byte that spoils the one before it
t byte-llama3 <<<'{"text": "of one vocabulary"}' >of-one
detokenize -q -m "$G/byte-llama3.json" of-one | grep -o '"text": "[^"]*"'
detokenize -q -m "$G/byte-gpt2.json" of-one; echo "status $?"
echo "# bytes that are no UTF-8"
printf '{"text": "a\303b\377"}\n' | t byte-gpt2; echo "status $?"
printf '{"text": "a\303b\377"}\n' | tokenize -m "$G/byte-gpt2.json" --invalid-utf8=replace | ids
printf 'a\342\202\n' | t byte-gpt2 --input-format=text --invalid-utf8=replace | ids
echo "# frames"
for i in 1 2 3; do echo "$row"; done | t byte-llama3 --binary | od -An -c | head -2
for i in 1 2 3; do echo "$row"; done >rows
SOURCE_DATE_EPOCH=0; export SOURCE_DATE_EPOCH
t byte-llama3 rows | ft-pack -q -o a --length 8 && t byte-llama3 --binary rows | ft-pack -q -o b --length 8 && diff -r a b && echo "the same set"
t byte-llama3 rows | ft-pack -q -o a2 --length 8 -m "$G/byte-llama3.json" && t byte-llama3 --binary rows | ft-pack -q -o b2 --length 8 -m "$G/byte-llama3.json" && diff -r a2 b2 && echo "the same set"
t byte-llama3 --binary rows >frames
{ head -c 8 frames; printf '\2'; tail -c +10 frames; } >old; { head -c 12 frames; printf '\3'; tail -c +14 frames; } >odd
for x in old odd; do ft-pack -q -o c --length 8 $x; echo "status $?"; done
t byte-llama3 --binary rows | head -c 150 | ft-pack -q -o c --length 8; echo "status $?"
t byte-llama3 --binary rows | detokenize -q -m "$G/byte-llama3.json"; echo "status $?"
echo "# ids of more than two bytes"
echo '{"model": {"type": "WordLevel", "vocab": {"[UNK]": 0, "low": 65535, "high": 65536, "last": 70000}, "unk_token": "[UNK]"}, "pre_tokenizer": {"type": "Whitespace"}}' >wide.json
sed 's/70000/65535/; s/65536/65534/' wide.json >narrow.json
for x in wide narrow; do
    for i in 1 2 3; do echo '{"text": "low high last x", "labels": [65535, -100, -100, 0]}'; done >words
    tokenize -q -m $x.json --binary words | od -An -tu4 -N16 -w16
    tokenize -q -m $x.json --binary words | ft-pack -q -o $x --length 8 && tokenize -q -m $x.json words | ft-pack -q -o $x.too --length 8 && diff -r $x $x.too && ft-shard cat $x | head -1 | ids
done
echo "# frames hold spans as numbers, where all of a record's are usual; a record that is refused is set aside whole"
cat >marked <<'Y'
{"text": "The mill, and the king", "spans": [[0,9,0,"content","user",1],[10,22,-1,"documents","",0]], "learn": []}
{"text": "The mill, and the king", "spans": [[0,9,0,"content","user",1],[10,22,1,"content[1].text","assistant",1]], "learn": [[10,22]]}
{"text": "The mill, and the king", "spans": [[0,9,0,"content","user",1],[10,22,1,"content","ipython",1]], "learn": []}
{"text": "The mill, and the king", "spans": [[0,9,0,"content","developer",1], [10,22,1,"content","assistant",1]], "learn": [[10,22],[22,22]]}
Y
t byte-llama3 --binary marked | ft-pack -q -o d --length 64 --bad aside; echo "status $?"
cat aside
t byte-llama3 marked | ft-pack -q -o e --length 64 --bad aside2 2>/dev/null; diff -r d e && echo "the same set"

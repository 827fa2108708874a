# What train-tokenizer learns: the library's own files byte for byte, merges that
# can be checked by hand, round trips, and the same bytes for any -j.
G=$TESTS/golden/train-tokenizer
s() { "$@"; echo "status $?"; }
like() { # golden, options...
    local n=$1
    shift
    train-tokenizer -q "$G/corpus.jsonl" -o "$n" "$@" && cmp "$n/tokenizer.json" "$G/$n.json" && echo "same $n"
}
echo "-- as the library saves them"
like qwen2 --vocab-size 330 --special-tokens '<|im_start|>,<|im_end|>'
like gpt2 --split gpt2 --vocab-size 1000 --min-frequency 4
like cl100k --split cl100k --vocab-size 320 --bos '<bos>' --add-bos --add-eos --normalizer nfc
like o200k --split o200k --vocab-size 320 --max-token-length 4
like sentencepiece --type sentencepiece --vocab-size 470
like never --type sentencepiece --vocab-size 460 --prefix-space never --split-digits --max-token-length 3

# The merges of a tokenizer.json, one a line.
merges() { sed -n '/"merges"/,$p' "$1/tokenizer.json" | grep '^        "' | sed 's/^ *"//; s/",\{0,1\}$//' | paste -d' ' - -; }

echo "-- by hand"
# Words: ab 1, Ġab 2, cab 1, Ġcab 3, xy 1, Ġxy 1, vw 1, Ġvw 1. So (a,b) 7 times,
# (c,ab) 4, (Ġ,cab) 3, then (v,w), (x,y) and (Ġ,ab) twice: the lower ids first.
printf 'ab ab ab\ncab cab cab cab\nxy xy\nvw vw\n' >hand.txt
s train-tokenizer hand.txt --input-format text --split gpt2 -o hand --eos '' --vocab-size 300
merges hand
echo "-- overlapping: aaaa is (a,a) three times and merges to two"
printf 'aaaa\naaa\n' | s train-tokenizer -q --input-format text -o over --eos '' --vocab-size 259 --min-frequency 1
merges over

echo "-- the files beside it"
s train-tokenizer -q "$G/corpus.jsonl" -o chat --vocab-size 300 --bos '<s>' --pad '<pad>' --special-tokens '<|user|>,<|bot|>' \
    --model-max-length 2048
cat chat/tokenizer_config.json chat/special_tokens_map.json
ls chat

echo "-- round trip"
for d in qwen2 never; do
    grep -v '"text": ""' "$G/corpus.jsonl" | tokenize -q -m $d --append-eos=no | detokenize -q -m $d |
        sed 's/"input_ids": *\[[^]]*\], *//; s/, *"input_ids":.*//; s/, *"_ft":.*//; s/$/}/; s/}}$/}/' |
        diff - <(grep -v '"text": ""' "$G/corpus.jsonl") && echo "back $d"
done

echo "-- any number of threads, any cut of the input"
for i in 1 2 3 4 5 6 7 8; do cat "$G/corpus.jsonl"; done >many.jsonl
for j in 1 2 5; do
    train-tokenizer -q -j$j many.jsonl -o j$j --vocab-size 400 && cmp j$j/tokenizer.json j1/tokenizer.json && echo "same -j$j"
done
gzip -c many.jsonl | train-tokenizer -q -o gz --vocab-size 400 && cmp gz/tokenizer.json j1/tokenizer.json && echo "same packed"
tac many.jsonl | train-tokenizer -q -o tac --vocab-size 400 && cmp tac/tokenizer.json j1/tokenizer.json && echo "same backwards"

echo "-- little memory: the same rare words go, whatever the threads"
awk 'BEGIN { for (i = 0; i < 700; i++) { w = ""; for (k = i + 1000; k; k = int(k / 10)) w = w substr("habokedizuwolymasexi", k % 10 * 2 + 1, 2)
    printf "{\"text\":\"%s %s %s낱말\"}\n", w, i % 9 ? "often" : w, substr(w, 1, 4) } }' >rare.jsonl
s train-tokenizer rare.jsonl -S 60K -j1 -o s1 --vocab-size 320
for j in 2 5; do train-tokenizer -q rare.jsonl -S 60K -T . -j$j -o s$j --vocab-size 320; cmp s$j/tokenizer.json s1/tokenizer.json && echo "same -j$j"; done
s train-tokenizer rare.jsonl -o s9 --vocab-size 320
cmp -s s9/tokenizer.json s1/tokenizer.json || echo "another with all words"
echo "-- members"
cat >mem.jsonl <<'X'
{"messages":[{"role":"user","content":"zq zq"},{"role":"assistant","content":[{"type":"text","text":"zq zq"},{"type":"image"}]}]}
{"prompt":"zq","completion":[{"role":"assistant","content":"zq"}]}
{"text":"zq","note":"ww ww ww ww"}
{"title":"zq","body":"zq","text":"none"}
{"conversations":[{"from":"human","value":"zq zq"}],"chosen":{"from":"gpt","value":"zq"}}
{"instruction":"zq","input":null,"output":"zq"}
X
s train-tokenizer mem.jsonl -o m1 --vocab-size 259 --min-frequency 1 --stats st.json
merges m1
cat st.json
head -4 mem.jsonl | tail -1 | s train-tokenizer --field title,body -o m2 --vocab-size 258
merges m2
echo "-- special tokens in the text are not learnt from, unless asked for"
printf '{"text":"<|x|><|x|><|x|>ab ab"}\n' >sp.jsonl
s train-tokenizer sp.jsonl -o sp1 --special-tokens '<|x|>' --vocab-size 259
merges sp1
s train-tokenizer sp.jsonl -o sp2 --special-tokens '<|x|>' --vocab-size 259 --plain-specials
merges sp2
echo "-- the text is used up"
s train-tokenizer hand.txt -o small --vocab-size 1000
echo "-- rare characters"
s train-tokenizer "$G/corpus.jsonl" -o rare --type sentencepiece --vocab-size 400 --limit-alphabet 60 --initial-alphabet '갸Ω'
grep -c -e '"갸":' -e '"Ω":' rare/tokenizer.json

echo "-- extended: what 260 tokens begin and 330 end is what 330 are at once"
for t in byte-level sentencepiece; do
    n=$([ $t = byte-level ] && echo 270 || echo 440)
    train-tokenizer -q "$G/corpus.jsonl" -o a-$t --type $t --vocab-size $n --chat-template hand.txt
    s train-tokenizer "$G/corpus.jsonl" -o b-$t --extend a-$t --vocab-size $((n + 60))
    train-tokenizer -q "$G/corpus.jsonl" -o c-$t --type $t --vocab-size $((n + 60)) --chat-template hand.txt
    diff -r b-$t c-$t && echo "same $t"
done
echo "-- with other text and a new special token: ids stay, new ones come behind"
echo '{"text":"갸갹 갸갹 갸갹 Ωab<|new|>갸갹"}' >other.jsonl
s train-tokenizer other.jsonl -o more --extend a-sentencepiece/tokenizer.json --vocab-size 450 --special-tokens '<|new|>,<s>'
diff a-sentencepiece/tokenizer.json more/tokenizer.json | grep '^[<>]'
echo '{"text":"갸갹<|new|>Ωq"}' | tokenize -q -m more --append-eos=no
echo "-- not more than the text has; bytes that a vocabulary lacks come in when they occur"
sed -e '/^      "Ġ": /d' -e '/^      "~": /d' a-byte-level/tokenizer.json | sed '/"merges"/,$c\    "merges": []\n  }\n}' >lacks.json
s train-tokenizer other.jsonl -o lacks --extend lacks.json --vocab-size 280
grep -A3 '"id":\|Ġ": \|~": ' lacks/tokenizer.json | grep 'Ġ\|~'
echo "-- at the end of a sealed pipe"
s ft-pipe -q "dedupe $G/corpus.jsonl | train-tokenizer -o sealed --vocab-size 330 --special-tokens '<|im_start|>,<|im_end|>'"
cmp sealed/tokenizer.json "$G/qwen2.json" && echo same

# The same bytes, messages and counts for any number of threads, of every filter
# that has them, on good lines and bad ones.
for i in $(seq 4000); do
    echo "{\"text\":\"line $i of some text\",\"messages\":[{\"role\":\"user\",\"content\":\"$i plus $((i % 97))?\"},{\"role\":\"assistant\",\"content\":\"$((i + i % 97))\"}]}"
    [ $((i % 500)) = 7 ] && echo '{"text":'
    [ $((i % 400)) = 9 ] && echo '{"txt":"no text"}'
done >in.jsonl
m=$TESTS/golden/chat-model
same() { # name, command...
    local name=$1 j
    shift
    for j in 1 2 4; do
        "$@" -j $j --bad bad$j --stats stats$j >out$j 2>err$j
        echo $? >>err$j
        cmp out1 out$j && cmp err1 err$j && cmp bad1 bad$j && cmp stats1 stats$j || echo "$name -j $j: not the same"
    done
    echo "$name: $(grep -c . out1) lines, $(grep -c . bad1) bad, status $(tail -1 err1)"
    # and where the first bad line stops
    for j in 1 4; do "$@" -j $j >out$j 2>err$j; echo $? >>err$j; done
    cmp out1 out4 && cmp err1 err4 || echo "$name stops elsewhere"
    echo "$name: stops after $(grep -c . out1) lines, status $(tail -1 err1)"
}
same tokenize tokenize -m "$m" in.jsonl
grep -v '^{"text":$' in.jsonl | tokenize -q -m "$m" --bad /dev/null 2>/dev/null >ids.jsonl
sed '1000s/.*/{"input_ids":[1,2/' ids.jsonl >some.jsonl
same detokenize detokenize -m "$m" some.jsonl
same mask-completion mask-completion some.jsonl
same chat-template chat-template --template chatml in.jsonl

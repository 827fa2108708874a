# Every bundled template on its examples, against the text beside them, with what is learnt.
F=$ROOT/templates/family
for t in "$F"/*.jinja; do
    n=${t##*/}; n=${n%.jinja}
    chat-template -q --template "$n" --explain 99 "$F/$n.jsonl" 2>shown >out || echo "$n: status $?"
    sed "s#$F/##" shown >text
    if [ -n "${UPDATE:-}" ]; then cp text "$F/$n.txt"; fi
    cmp text "$F/$n.txt" && echo "$n: $(grep -c . "$F/$n.jsonl") chats"
    chat-template --show "$n" | cmp - "$t"
done
chat-template --list

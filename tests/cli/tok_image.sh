# The compiled image: the same answers with it and without, whatever is in its place.
awk 'BEGIN {
    letters = "abcdefghijklmnopqrstuvwxyz"; n = 0
    printf "{\"version\":\"1.0\",\"added_tokens\":[{\"id\":3000,\"content\":\"<end>\",\"special\":true,\"single_word\":false,\"lstrip\":false,\"rstrip\":false,\"normalized\":false}],"
    printf "\"normalizer\":{\"type\":\"NFC\"},\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":false},"
    printf "\"post_processor\":null,\"decoder\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":false},\"model\":{\"type\":\"BPE\",\"vocab\":{"
    for (i = 33; i < 127; i++) printf "%s\"%s%c\":%d", n ? "," : "", (i == 34 || i == 92) ? "\\" : "", i, n++
    printf ",\"\304\240\":%d", n++
    m = 0
    for (i = 1; i <= 26; i++) for (j = 1; j <= 26; j++) {
        a = substr(letters, i, 1); b = substr(letters, j, 1)
        printf ",\"%s%s\":%d", a, b, n++; merge[m++] = a " " b }
    for (i = 1; i <= 26; i++) for (j = 1; j <= 26; j++) for (k = 1; k <= 26; k += 5) {
        a = substr(letters, i, 1) substr(letters, j, 1); b = substr(letters, k, 1)
        printf ",\"%s%s\":%d", a, b, n++; merge[m++] = a " " b }
    printf "},\"merges\":["
    for (i = 0; i < m; i++) printf "%s\"%s\"", i ? "," : "", merge[i]
    printf "]}}" }' >tokenizer.json
[ $(wc -c <tokenizer.json) -gt 65536 ] && echo "large enough"
cat >in.jsonl <<'X'
{"text":"the quick brown fox, 3 times<end> and more of that"}
{"text":"abcabcabc zzzzzz aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa don't"}
X
run() { tokenize -q -m . in.jsonl --offsets=byte; }
TUNEUTILS_CACHE=off run >off; echo "off $?"
export TUNEUTILS_CACHE=$PWD/deep/er
run >first; echo "first $?"
case $(uname -m) in x86_64 | aarch64) machine=$(uname -m) ;; *) machine='[a-z]*' ;; esac
ls deep/er | sed "s/^[0-9a-f]*-[0-9-]*-$machine\.tok\$/one image/"
run >second; echo "second $?"
cmp off first && cmp off second && echo same
img=$(echo deep/er/*.tok)
# Any flipped byte, a cut, an empty file, another's file: read anew, and made anew.
for at in 0 9 20 40 300 3000 20000 100000; do
    printf '\377' | dd of="$img" bs=1 seek=$at conv=notrunc 2>/dev/null
    run >now || echo failed
    cmp off now
    tail -c +1 "$img" >a && run >now && cmp -s a "$img" || echo "not made anew after byte $at"
done
# Bytes all over it, where the answers come from.
awk 'BEGIN { for (i = 0; i < 400; i++) printf "cccccccccccccccccccccccccccccccc" }' >junk
size=$(wc -c <"$img")
for at in $(seq 8192 20000 $((size - 13000))); do dd if=junk of="$img" bs=1 seek=$at conv=notrunc 2>/dev/null; done
run >now; cmp off now
head -c 50000 "$img" >cut && cp cut "$img" && run >now; cmp off now
: >"$img"; run >now; cmp off now
chmod go+w "$img"; run >now; cmp off now
echo "broken ones are not used"
# Another source, another image.
sed 's/"<end>"/"<fin>"/' tokenizer.json >t && mv t tokenizer.json
run >other; cmp -s off other || echo "the change is seen"
ls deep/er | wc -l
# No place to write.
TUNEUTILS_CACHE=/proc/nowhere run >now; cmp other now
TUNEUTILS_CACHE= HOME=/nonexistent/home run >now; cmp other now
env -u TUNEUTILS_CACHE -u HOME -u XDG_CACHE_HOME "$(command -v tokenize)" -q -m . in.jsonl --offsets=byte >now; cmp other now
: >file; TUNEUTILS_CACHE=$PWD/file run >now; cmp other now
TUNEUTILS_CACHE=$PWD/file/below run >now; cmp other now
# A file may not grow: no image, nothing left behind, and no signal ends the tool.
rm -rf deep; (ulimit -f 20; run >now; echo "small files $?"); cmp other now
ls deep/er | wc -l
# What a killed one left half written goes, what another one is writing stays.
: >deep/er/x.tok.abcdef; touch -d '2 hours ago' deep/er/x.tok.abcdef; : >deep/er/y.tok.abcdef
run >now; cmp other now; ls deep/er | grep -c '^[xy]'
# Several at once.
rm -rf deep
for i in 1 2 3 4; do run >p$i & done; wait
for i in 1 2 3 4; do cmp other p$i; done
ls deep/er | wc -l
# A .tiktoken has one too, another for each way to split.
awk 'function put(a, b, c, n,   v) {
        v = a * 65536 + b * 256 + c
        printf "%s%s%s%s %d\n", substr(d, int(v / 262144) + 1, 1), substr(d, int(v / 4096) % 64 + 1, 1),
            (n > 1) ? substr(d, int(v / 64) % 64 + 1, 1) : "=", (n > 2) ? substr(d, v % 64 + 1, 1) : "=", id++ }
    BEGIN {
        d = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        for (i = 0; i < 256; i++) put(i, 0, 0, 1)
        for (i = 97; i < 123; i++) for (j = 97; j < 123; j++) put(i, j, 0, 2)
        for (i = 97; i < 123; i++) for (j = 97; j < 123; j++) for (k = 97; k < 123; k += 2) put(i, j, k, 3) }' >x.tiktoken
ranks() { tokenize -q -m x.tiktoken --split "$1" in.jsonl; }
rm -rf deep
for split in cl100k gpt2; do
    TUNEUTILS_CACHE=off ranks $split >off
    ranks $split >first; ranks $split >second
    cmp off first && cmp off second && echo "same by $split"
done
ls deep/er | wc -l
echo done

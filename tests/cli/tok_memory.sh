# A stream of words that never come again needs no more memory for being longer: caches are bounded.
grep -q VmHWM /proc/self/status 2>/dev/null || { echo "no VmHWM in /proc/self/status"; exit 77; }
[ -z "${TINY:-}" ] || { echo "sizes are others"; exit 77; }
(ulimit -v 400000; tokenize --version) >/dev/null 2>&1 || { echo "a sanitizer's memory is its own"; exit 77; }
# About a megabyte of Korean, Chinese, letters of two bytes among others, and plain ones, a line each.
awk 'function wild(n,   s) { for (s = ""; n > 0; n--) s = s sprintf("%c", 128 + int(rand() * 64)); return s }
    function letter() { return sprintf("%c", 97 + int(rand() * 26)) }
    function char(kind) {
        if (kind == 0) return sprintf("%c", 235 + int(rand() * 2)) wild(2)
        if (kind == 1) return sprintf("%c", 228 + int(rand() * 6)) wild(2)
        if (kind == 2) return sprintf("%c", 196 + int(rand() * 12)) wild(1) letter()
        return letter() letter()
    }
    BEGIN {
        srand(1)
        for (line = 0; line < 2500; line++) {
            s = ""
            for (w = 0; w < 30; w++) {
                if (w) s = s " "
                for (k = 3 + int(rand() * 5); k > 0; k--) s = s char(line % 4)
            }
            print s
        }
    }' >base
# The same with other characters in their places, $1 of 24 times.
letters=abcdefghijklmnopqrstuvwxyz
bytes=$(for i in $(seq 128 191); do printf '\\%o' $i; done)
stream() {
    local k
    for k in $(seq $1); do
        tr "$letters$bytes" "${letters:k}${letters:0:k}${bytes:8*k}${bytes:0:8*k}" <base | sed 's/.*/{"text":"&"}/'
    done
}
peak() { # MODEL PASSES; of one thread, since how far several are apart is chance
    rm -f in
    mkfifo in
    tokenize -q -j 1 -m "$TESTS/golden/tokenizer/$1.json" <in >/dev/null &
    { stream $2; sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' /proc/$!/status >hwm; } >in
    wait $! && cat hwm
}
for m in byte-gpt2 unigram-t5 wordpiece-uncased sp-llama2; do
    short=$(peak $m 14) long=$(peak $m 24) # the caches are full by then: they hold megabytes
    [ "${long:-999999999}" -le $((short + short / 16 + 1000)) ] && echo "$m: no more" || echo "$m: $short kB, then $long kB"
done

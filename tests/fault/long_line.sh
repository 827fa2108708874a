[ -z "${TINY:-}" ] || { echo "needs buffers of the usual size"; exit 77; }
# A huge line is refused before memory grows; the limit is the user's.
s() { "$@"; echo "status $?"; }
long() { printf '{"text":"'; head -c "$1" /dev/zero | tr '\0' a; printf '"}\n'; }
# Sanitizers reserve address space: there the limit cannot be set.
if { (ulimit -v 400000; dedupe --version); } >/dev/null 2>&1; then limit=400000; else limit=unlimited; fi
(ulimit -v $limit; long 1G 2>/dev/null | s dedupe)
echo "-- set aside, and on" >&2
(ulimit -v $limit; { long 500M; echo '{"text":"b"}'; } | s dedupe --bad /dev/null)
echo "-- a limit that fits, and one that does not" >&2
printf '{"text":"%080d"}\n' 1 | s dedupe --max-record 1k
printf '{"text":"%080d"}\n' 1 | s dedupe --max-record 64
echo "-- set aside where there is nothing else, in a filter with threads" >&2
for j in 1 2; do
    { long 80; long 90; } | s chat-template -q --template chatml --max-record 64 --bad bad -j $j
    wc -lc <bad | tr -s ' '
done

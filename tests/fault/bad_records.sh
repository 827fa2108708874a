# Each way a record can be bad: the message with its place, and status 1. With
# --bad the line goes aside as it was, and work goes on.
s() { "$@"; echo "status $?"; }
good='{"text":"good"}'
try() { # name, bytes (printf)
    echo "-- $1"; echo "-- $1" >&2
    { echo "$good"; printf "$2"; } >in.jsonl
    s dedupe --key text in.jsonl
    s dedupe --key text --bad aside in.jsonl
    cmp aside <(printf "$2" | sed -e '$a\') && echo "set aside as it was"
}
try 'malformed' '{"text":"a",}\n'
try 'cut short' '{"text":"a'
try 'no object' '["text"]x\n'
try 'invalid UTF-8' '{"text":"ab\xff"}\n'
try 'UTF-8 cut short' '{"text":"ab\xc3"}\n'
try 'an overlong form' '{"text":"\xc0\xaf"}\n'
try 'a raw surrogate' '{"text":"\xed\xa0\x80"}\n'
try 'a lone surrogate' '{"text":"\\ud800"}\n'
try 'half a pair' '{"text":"\\ud800\\u0041"}\n'
try 'a control character' '{"text":"a\tb"}\n'
try 'NaN' '{"text":NaN}\n'
try 'missing member' '{"txt":"a"}\n'
try 'null member' '{"text":null}\n'
try 'member twice' '{"text":"a","text":"b"}\n'
echo "-- nested too deeply"; echo "-- nested too deeply" >&2
{ printf '{"text":'; head -c 100000 /dev/zero | tr '\0' '['; } | s dedupe
echo "-- the place a record came from"; echo "-- the place a record came from" >&2
echo '{"txt":"a","_ft":{"org":["orig.jsonl",77]}}' | s dedupe --key text
echo "-- at most so many"; echo "-- at most so many" >&2
printf '%s\n' '{' '{' '{' "$good" | s dedupe --bad aside --max-bad 2
printf '%s\n' '{' '{' "$good" "$good" "$good" | s dedupe --bad aside --max-bad 50%
printf '%s\n' '{' '{' "$good" "$good" "$good" | s dedupe --bad aside --max-bad 39%

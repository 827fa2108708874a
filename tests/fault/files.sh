[ -z "${TINY:-}" ] || { echo "needs buffers of the usual size"; exit 77; }
# Files that a suspicious user hands in, and places he asks for output.
s() { "$@"; echo "status $?"; }
say() { echo "-- $1"; echo "-- $1" >&2; }
printf '{"text":"a"}\n{"text":"b"}\n{"text":"a"}\n' >in.jsonl
say "output on the input"
cp in.jsonl x.jsonl
s dedupe -q -o x.jsonl x.jsonl
cat x.jsonl
dedupe -q x.jsonl >>x.jsonl; echo "status $?"
dedupe -q >>x.jsonl <x.jsonl; echo "status $?"
s dedupe -q --bad x.jsonl x.jsonl
cat x.jsonl
say "output on what is no file"
s dedupe -q -o /dev/null in.jsonl
[ -c /dev/null ] && echo "still a device"
ln -s target link
: >target
chmod 640 target
s dedupe -q -o link in.jsonl
[ -L link ] && stat -c %a target && cat target
mkdir folder
s dedupe -q -o folder in.jsonl
s dedupe -q -o '' in.jsonl
say "killed while it writes: no temporary file is left"
mkfifo slow
dedupe -q -o late.jsonl slow 3>&- &
exec 3>slow
cat in.jsonl >&3
until ls late.jsonl.*.tmp >/dev/null 2>&1; do sleep 0.01; done
kill -TERM $!; wait $! 2>/dev/null
echo "status $?"
exec 3>&-
ls late.jsonl* 2>/dev/null
say "input that is not there, or no records"
s dedupe in.jsonl nowhere.jsonl
s dedupe folder
s dedupe ''
printf '\xff\xfe{\0"\0a\0"\0:\0001\0}\0' >utf16.jsonl
s dedupe utf16.jsonl
printf '{"a":1}\0\n' >nul.jsonl
s dedupe nul.jsonl
printf '{"a":1}\r{"a":2}\r' >mac.jsonl
s dedupe mac.jsonl
head -c 10240 /dev/zero >zeros.tar
s dedupe zeros.tar
say "packed files"
tar -cf one.tar in.jsonl folder
s dedupe one.tar
tar -cf two.tar one.tar
s dedupe two.tar
gzip -c in.jsonl >in.gz
head -c 30 in.gz >cut.gz
s dedupe cut.gz
for i in $(seq 300); do echo "{\"text\":\"$((i * i * 7919 % 10007)) and $i\"}"; done >many.jsonl
gzip -nc many.jsonl >many.gz
# What came out is not what went in, as its checksum says.
{ head -c -8 many.gz; printf abcd; tail -c 4 many.gz; } >flip.gz
s dedupe -q flip.gz | tail -1
tail -c 4 many.gz | cat many.gz - >tail.gz
dedupe -q tail.gz >/dev/null; echo "status $?"
: >none
for name in none many.jsonl none none in.jsonl none; do gzip -c $name; done >members.gz
{ cat members.gz; head -c 600 /dev/zero; } >padded.gz
for file in members.gz padded.gz; do chat-template -q --template chatml $file | cmp - <(cat many.jsonl in.jsonl); done
printf 'PK\003\004garbage' >bad.zip
s dedupe bad.zip
say "no libarchive: plain input needs none"
mkdir lib; echo none | tee lib/libarchive.so.13 >lib/libarchive.so
LD_LIBRARY_PATH=$PWD/lib dedupe -q in.gz 2>&1 | sed 's/loaded: .*/loaded: .../'; echo "status ${PIPESTATUS[0]}"
LD_LIBRARY_PATH=$PWD/lib dedupe -q many.jsonl | cmp - many.jsonl
say "the first line is bad"
printf '{\n{"text":"a"}\n' | s dedupe --bad aside
cat aside

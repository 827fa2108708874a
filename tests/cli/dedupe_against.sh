# A reference set: other files, other packing, its own message for a bad line.
s() { "$@"; echo "status $?"; }
printf '%s\n' '{"text":"a"}' '{"text":"b","_ft":{"org":["orig.csv",7]}}' '{"text":"a"}' '{"text":"c"}' '{"text":"c"}' >in.jsonl
printf '%s\n' '[{"text":"\u0061"},' '{"text":"b","id":3}]' | gzip >ref.gz
printf '{"text":"z"}\n' >ref2.jsonl
s dedupe --against ref.gz --against ref2.jsonl --explain why --stats stats in.jsonl
cat why stats
echo "-- a bad reference"
printf '{"text":"a"}\n{"text":\n' >ref3.jsonl
s dedupe --against ref3.jsonl in.jsonl
printf '{"text":"a"}\n{"txt":"a"}\n' >ref4.jsonl
s dedupe -k text --against ref4.jsonl in.jsonl
s dedupe --against nowhere.jsonl in.jsonl
echo "-- options that are not there yet"
s dedupe -T . in.jsonl
s dedupe -k , in.jsonl

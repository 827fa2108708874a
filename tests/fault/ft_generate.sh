# Records and command lines that ft-generate cannot take.
M=$TESTS/golden/trainer/llama
try() { echo "-- $1"; shift; "$@"; echo "status $?"; }
g() { ft-generate -q -m "$M" --max-new-tokens 2 "$@"; }
try 'a token that the model does not have' g <<<'{"input_ids":[3,47]}'
try 'below zero' g <<<'{"input_ids":[-1]}'
try 'no token' g <<<'{"input_ids":[]}'
try 'no member' g <<<'{"text":"a"}'
try 'not numbers' g <<<'{"input_ids":["a"]}'
try 'more tokens than positions' g <<<"{\"input_ids\":[$(seq -s, 129 | sed 's/[0-9]*/3/g')]}"
try 'past the positions' ft-generate -q -m "$M" --max-new-tokens 3 --stop-id 46 <<<"{\"input_ids\":[$(seq -s, 126 | sed 's/[0-9]*/3/g')]}" | sed 's/"input_ids":[^]]*]/…/'
printf '%s\n' '{"input_ids":[3]}' 'x' '{"input_ids":[99]}' '{"input_ids":[4]}' >mixed
try 'bad lines aside' g --bad bad mixed
cat bad
try 'no model' ft-generate <<<''
try 'no such folder' ft-generate -m nowhere <<<''
try 'no such adapter' g --adapter nowhere <<<''
try 'a temperature below zero' g --temperature -1 <<<''
try 'a stop id above the vocabulary' g --stop-id 47 <<<''
try 'too large a batch' g --batch 17 <<<''
try 'an unknown kernel level' env FT_ISA=mmx ft-generate -m "$M" <<<''
cp -r "$M" cut; chmod -R u+w cut; head -c 20000 "$M/model.safetensors" >cut/model.safetensors
try 'a truncated model' ft-generate -m cut <<<''
echo '-- a full disk'; g <<<'{"input_ids":[3]}' >/dev/full; echo "status $?"

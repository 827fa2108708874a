# What cannot be trained on, or into, is said, and nothing is touched.
G=$TESTS/golden/trainer
head -9 "$G/rows.jsonl" | ft-pack -o d --length 64 --strategy none 2>/dev/null
no() { echo "-- $1" >&2; shift; "$@" >/dev/null; echo "status $?" >&2; }
t() { ft-train sft -d d -o run --max-steps 100 --eval-share 0 "$@"; }

no 'usage' ft-train
no 'two objectives' ft-train sft dpo
no 'an objective of later' ft-train dpo -m "$G/tiny" -d d -o run
no 'no such objective' ft-train sfd -m "$G/tiny" -d d -o run
no 'no data' ft-train sft -m "$G/tiny" -o run
no 'no folder' ft-train sft -m "$G/tiny" -d d
no 'no model' ft-train sft -d d -o run
no 'unknown option' t -m "$G/tiny" --lora-rank 3
no 'resume and force' t -m "$G/tiny" --resume --force
no 'rate' t -m "$G/tiny" --learning-rate 0
no 'schedule' t -m "$G/tiny" --lr-scheduler-type cosine_with_min_lr
no 'target' t -m "$G/tiny" --target-modules q_prof
no 'head' t -m "$G/tiny" --target-modules q_proj,lm_head
no 'pattern' t -m "$G/tiny" --rank-pattern q_proj
cp -r "$G/tiny-adapter" ad
no 'adapter and rank' t -m "$G/tiny" --adapter ad --lora-r 3
no 'evaluation and none' t -m "$G/tiny" --eval-data d --eval-strategy no
no 'best without evaluation' t -m "$G/tiny" --load-best-model-at-end
echo 'learning_rat = 1' >c
no 'config' t -m "$G/tiny" --config c
no 'no model folder' t -m nowhere
no 'no hub model' env HF_HUB_CACHE=cache ft-train sft -m org/name -d d -o run
no 'no set' ft-train sft -m "$G/tiny" -d nowhere -o run

mkdir m && cp "$G/tiny/"* m
chmod u+w m/*
head -c 20000 "$G/tiny/model.safetensors" >m/model.safetensors
no 'a truncated model' t -m m
sed 's/model.norm.weight/model.norm.weighs/' "$G/tiny/model.safetensors" >m/model.safetensors
no 'a tensor by another name' t -m m
cp "$G/tiny/model.safetensors" m
printf '\177\177' | dd of=m/model.safetensors bs=1 seek=9001 conv=notrunc 2>/dev/null
printf '\200\177' | dd of=m/model.safetensors bs=1 seek=9000 conv=notrunc 2>/dev/null
no 'a weight that is no number' t -m m
cp "$G/tiny/model.safetensors" m
sed -i 's/"hidden_size": 32/"hidden_size": 64/' m/config.json
no 'another shape' t -m m
sed -i 's/"model_type": "llama"/"model_type": "bert"/' m/config.json
no 'another family' t -m m
echo '{' >m/config.json
no 'no JSON' t -m m
rm m/config.json
no 'no config' t -m m

cp -r "$G/tiny-adapter" a && chmod u+w a/*
sed -i 's/"r": 4/"r": 5/' a/adapter_config.json
no 'an adapter of another rank' t -m "$G/tiny" --adapter a
sed -i 's/"use_dora": false/"use_dora": true/' a/adapter_config.json
no 'a kind of adapter' t -m "$G/tiny" --adapter a

cp -r d broken
printf x | dd of=broken/shard-00000.fts bs=1 seek=200 conv=notrunc 2>/dev/null
no 'a damaged shard' ft-train sft -m "$G/tiny" -d broken -o run
echo '{"input_ids":[1,95,96,2]}' | ft-pack -o ids --length 64 2>/dev/null
no 'an id too high' ft-train sft -m "$G/tiny" -d ids -o run
echo '{"input_ids":['"$(seq -s, 1 70)"']}' | ft-pack -o long --length 80 2>/dev/null
no 'a row too long' ft-train sft -m "$G/tiny" -d long -o run
echo '{"prompt_ids":[1,3],"chosen_ids":[4,2],"rejected_ids":[5,2]}' | ft-pack -o pairs --length 64 2>/dev/null
no 'pairs' ft-train sft -m "$G/tiny" -d pairs -o run
head -3 "$G/rows.jsonl" | ft-pack -o e --length 64 2>/dev/null
no 'overlap' t -m "$G/tiny" --eval-data e
[ -e run ] && echo "run was made" >&2
mkdir run && echo mine >run/model.safetensors
no 'a folder that holds something' t -m "$G/tiny"
no 'and to resume' t -m "$G/tiny" --resume
cat run/model.safetensors >&2
cp -r "$G/tiny" base && chmod u+w base base/*
no 'into the base' ft-train sft -m base -d d -o base --eval-share 0 --force
no 'into the adapter' ft-train sft -m base -d d -o a --adapter a --eval-share 0 --force
cp -r "$G/tiny-adapter" b
no 'into the shards' t -m base -o d --max-steps 3
no 'merge into the base' ft-merge -m base --adapter b -o base --force -j1
no 'into the adapter' ft-train sft -m base -d d -o b --adapter b --eval-share 0 --force
ls base d

t -m "$G/tiny" --max-steps 3 -o short -q 2>/dev/null
no 'other options' t -m "$G/tiny" --max-steps 3 -o short --resume --learning-rate 1e-4
no 'other data' ft-train sft -m "$G/tiny" -d ids -o short --resume --max-steps 3 --eval-share 0
no 'an adapter now' t -m "$G/tiny" --max-steps 3 -o short --resume --lora-r 2
t -m "$G/tiny" --max-steps 3 -o short -q --resume -j1 2>/dev/null && echo "the same: goes on" >&2

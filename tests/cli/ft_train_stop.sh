# A template may end answers in a token that is no end of the base: what was tuned stops there, alone or merged.
for i in 1 2 3 4 5 6 7 8; do printf '{"text":"a%d is b%d and so on"}\n' $i $i; done >t.jsonl
train-tokenizer -o tok --vocab-size 280 --eos '<|endoftext|>' --special-tokens '<|im_start|>,<|im_end|>' t.jsonl 2>/dev/null
tokenize -m tok t.jsonl 2>/dev/null | ft-pack -o d -m tok --length 64 2>/dev/null
echo '{"model_type":"llama","hidden_size":32,"intermediate_size":64,"num_hidden_layers":1,"num_attention_heads":2,"max_position_embeddings":64}' >c.json
ft-train pretrain --init c.json -m tok -d d -o base --max-steps 2 -q --eval-share 0 2>/dev/null
tr -d '\n ' <base/generation_config.json; echo
for i in 1 2 3 4 5 6 7 8; do printf '{"messages":[{"role":"user","content":"a%d"},{"role":"assistant","content":"b%d"}]}\n' $i $i; done >chat.jsonl
chats() { chat-template --template chatml chat.jsonl 2>/dev/null | tokenize -m tok 2>/dev/null | mask-completion 2>/dev/null; }
chats | ft-pack -o s -m tok --length 64 2>/dev/null
echo '{"messages":[{"role":"user","content":"a3"}]}' | chat-template --template chatml --add-generation-prompt 2>/dev/null | tokenize -m tok 2>/dev/null >ask
answer() { ft-generate "$@" --max-new-tokens 20 -q ask | detokenize -m tok 2>/dev/null | grep -o '..im_end.."'; }
t() { ft-train sft -m base -d s --eval-share 0 --learning-rate 0.01 --per-device-train-batch-size 4 --gradient-accumulation-steps 1 "$@" 2>&1 | grep answers; }

echo '-- an adapter'
t -o run --max-steps 80 --lora-r 16
tr -d '\n ' <run/generation_config.json; echo
answer -m base --adapter run
ft-merge -m base --adapter run -o merged
cmp run/generation_config.json merged/generation_config.json && answer -m merged
echo '-- gone on with, on plain text: it is kept'
ft-train pretrain -m base -d d --adapter run -o on --max-steps 1 --eval-share 0 -q 2>/dev/null
cmp run/generation_config.json on/generation_config.json
echo '-- all weights; a generation config of the base keeps the rest'
sed -i 's/"_from/"temperature": 0.50,\n  "_from/' base/generation_config.json
t -o full --max-steps 80
tr -d '\n ' <full/generation_config.json; echo
answer -m full
echo '-- answers that end in a token that is not special say nothing'
echo '{"prompt":"a1","completion":" is b1"}' | tokenize -m tok --append-eos=no 2>/dev/null | mask-completion 2>/dev/null | ft-pack -o p -m tok --length 64 2>/dev/null
ft-train sft -m base -d p -o plain --max-steps 1 --lora-r 1 --eval-share 0 -q 2>&1 | grep -v few
cmp base/generation_config.json plain/generation_config.json
echo '-- a generation config that is none'
echo '[1]' >run/generation_config.json; ft-generate -m base --adapter run -q ask 2>&1; echo "status $?"

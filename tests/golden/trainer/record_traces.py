"""Makes the tiny model, its first adapter and its rows, and records 20-step traces: python record_traces.py

    tiny/           a Llama of 19 thousand parameters (bfloat16), random; tiny-adapter/: r 4 on all linears, as peft starts it
    rows.jsonl      25 documents of token ids, prompts masked: a last window of an epoch is short
    trace-NAME.jsonl   what trl's SFTTrainer logs, a line a step; then eval_loss before and after"""
import json, os, random, shutil, sys
os.environ["HF_HUB_OFFLINE"] = "1"
import torch, transformers, peft
from reference import train

here = os.path.dirname(os.path.abspath(__file__))
os.chdir(here)
torch.manual_seed(1)
config = transformers.LlamaConfig(vocab_size=96, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
                                  num_key_value_heads=2, max_position_embeddings=64, rms_norm_eps=1e-5, tie_word_embeddings=True,
                                  bos_token_id=1, eos_token_id=2, initializer_range=0.3)
model = transformers.LlamaForCausalLM(config).to(torch.bfloat16)
for n, p in model.named_parameters():
    if "norm" in n:
        p.data = (1 + 0.1 * torch.randn_like(p.float())).to(torch.bfloat16)
shutil.rmtree("tiny", ignore_errors=True)
model.save_pretrained("tiny")
base = transformers.AutoModelForCausalLM.from_pretrained("tiny", dtype=torch.float32)
p = peft.get_peft_model(base, peft.LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM"))
shutil.rmtree("tiny-adapter", ignore_errors=True)
p.peft_config["default"].base_model_name_or_path = "tiny"
p.save_pretrained("tiny-adapter")
os.remove("tiny-adapter/README.md")

r = random.Random(7)
rows = []
for i in range(25):
    n, k = r.randrange(8, 40), r.randrange(2, 7)
    ids = [1]
    for j in range(n - 2):
        ids.append(3 + (ids[-1] * 7 + i % 3 + r.randrange(3)) % 93)
    ids.append(2)
    rows.append({"input_ids": ids, "labels": [-100] * k + ids[k:]})
with open("rows.jsonl", "w") as f:
    for row in rows:
        f.write(json.dumps(row) + "\n")

common = dict(per_device_train_batch_size=2, per_device_eval_batch_size=2, max_steps=20, seed=3)
runs = {
    "lora": dict(adapter="tiny-adapter", gradient_accumulation_steps=1, learning_rate=2e-3, lr_scheduler_type="cosine", warmup_steps=3),
    "lora-ga4": dict(adapter="tiny-adapter", gradient_accumulation_steps=4, learning_rate=5e-3, lr_scheduler_type="linear", max_grad_norm=0.5),
    "full": dict(gradient_accumulation_steps=1, learning_rate=1e-3, lr_scheduler_type="constant", weight_decay=0.1),
    "full-ga4": dict(gradient_accumulation_steps=4, learning_rate=1e-3, lr_scheduler_type="cosine", weight_decay=0.1, max_grad_norm=0.0),
    "packed": dict(adapter="tiny-adapter", gradient_accumulation_steps=2, learning_rate=2e-3, lr_scheduler_type="linear", packing=48),
}
for name, kw in runs.items():
    if len(sys.argv) > 1 and name not in sys.argv[1:]:
        continue
    train("tiny", rows, f"/tmp/trace-{name}", **{**common, **kw})
    shutil.copy(f"/tmp/trace-{name}/log.jsonl", f"trace-{name}.jsonl")

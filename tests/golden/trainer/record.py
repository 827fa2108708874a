#!/usr/bin/env python3
"""What transformers and peft compute, for tests/unit/trainer_golden.c.

    record.py OUT              tiny random models of each family, made here
    record.py OUT MODEL...     existing model folders (tests/parity/trainer.sh)

Each OUT/NAME gets the model (only for those made here), an adapter, and
expect.safetensors:

    ids, positions, targets [T]  i32; segment [n+1] i32: documents of a packed row
    logp, entropy [T]            of the targets; 0 where the target is -1
    logits [V]                   behind the last token
    grad.NAME                    of the sum of -log p, for every parameter of the base
    adapter.logp [T], adapter.grad.KEY    the same with the adapter, for its parameters
    greedy.prompt, greedy.out    i32; what generate() adds to the prompt

Each document runs alone and in float32, so nothing of packing or padding is in
the answers. Recorded with transformers 5.23.0, peft 0.21.2, torch 2.15.0.
"""
import copy, os, sys
os.environ.setdefault("HF_HUB_OFFLINE", "1")
import torch
from safetensors.torch import save_file
import transformers as tf
from peft import LoraConfig, get_peft_model

torch.set_num_threads(2)

SIZES = dict(vocab_size=47, hidden_size=16, intermediate_size=23, num_hidden_layers=2, num_attention_heads=4,
             num_key_value_heads=2, max_position_embeddings=128, bos_token_id=1, eos_token_id=2, pad_token_id=0)
LLAMA3 = dict(rope_type="llama3", rope_theta=500.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=64)
YARN = dict(rope_type="yarn", rope_theta=1000.0, factor=4.0, original_max_position_embeddings=32)
LINEAR = dict(rope_type="linear", rope_theta=10000.0, factor=3.0)
MADE = {
    "llama": lambda: tf.LlamaConfig(**SIZES, tie_word_embeddings=False),
    "llama3": lambda: tf.LlamaConfig(**SIZES, tie_word_embeddings=True, rope_parameters=LLAMA3, head_dim=6),
    "yarn": lambda: tf.LlamaConfig(**SIZES, tie_word_embeddings=True, rope_parameters=YARN, attention_bias=True,
                                   mlp_bias=True),
    "linear": lambda: tf.LlamaConfig(**SIZES, tie_word_embeddings=True, rope_parameters=LINEAR, hidden_act="gelu"),
    "mistral": lambda: tf.MistralConfig(**SIZES, tie_word_embeddings=False, sliding_window=7),
    "qwen2": lambda: tf.Qwen2Config(**SIZES, tie_word_embeddings=True),
    "qwen3": lambda: tf.Qwen3Config(**{**SIZES, "num_key_value_heads": 1}, tie_word_embeddings=False, head_dim=8,
                                    use_sliding_window=True, sliding_window=5, max_window_layers=1),
}
STORED = {"llama3": torch.bfloat16, "yarn": torch.float16}  # the type in the file; others float32


def make(name):
    torch.manual_seed(1000 + list(MADE).index(name))
    config = MADE[name]()
    model = tf.AutoModelForCausalLM.from_config(config, attn_implementation="eager").float()
    with torch.no_grad():
        for n, p in model.named_parameters():
            p.copy_((torch.randn_like(p) * (0.1 if p.dim() == 1 else 0.3) + ("norm" in n)).to(STORED.get(name, torch.float32)))
    return model


def documents(vocab, lengths, seed):
    g = torch.Generator().manual_seed(seed)
    return [torch.randint(3, vocab, (n,), generator=g) for n in lengths]


def run(model, docs, targets):
    """Per-target log-probabilities and entropies, logits of the last position; gradients left in the model."""
    model.zero_grad()
    logp, entropy = [], []
    for ids, t in zip(docs, targets):
        logits = model(input_ids=ids[None], use_cache=False).logits[0].float()
        lp = torch.log_softmax(logits, -1)
        has = t >= 0
        picked = torch.where(has, lp.gather(1, t.clamp(min=0)[:, None])[:, 0], torch.zeros(len(t)))
        (-picked.sum()).backward()
        logp.append(picked.detach())
        entropy.append(torch.where(has, -(lp.exp() * lp).sum(-1), torch.zeros(len(t))).detach())
    return torch.cat(logp), torch.cat(entropy), logits[-1].detach().contiguous()


def record(out, model, lengths):
    vocab = model.config.vocab_size
    docs = documents(vocab, lengths, 7)
    targets = []
    for i, d in enumerate(docs):
        t = torch.cat([d[1:], torch.tensor([-1])])
        t[: len(d) // 3 if i % 2 else 0] = -1  # a prompt that is not learnt
        targets.append(t)
    bounds = torch.tensor([0] + [len(d) for d in docs]).cumsum(0)
    e = {
        "ids": torch.cat(docs).int(), "targets": torch.cat(targets).int(), "segment": bounds.int(),
        "positions": torch.cat([torch.arange(len(d)) for d in docs]).int(),
    }
    for p in model.parameters():
        p.requires_grad_(True)
    e["logp"], e["entropy"], e["logits"] = run(model, docs, targets)
    for n, p in model.named_parameters():
        e["grad." + n] = p.grad.clone()
    prompt = docs[0][:9]
    with torch.no_grad():
        g = model.generate(prompt[None], attention_mask=torch.ones(1, 9, dtype=torch.long), max_new_tokens=24,
                           do_sample=False, pad_token_id=0)
    e["greedy.prompt"], e["greedy.out"] = prompt.int(), g[0, 9:].int()

    torch.manual_seed(5)
    adapted = get_peft_model(model, LoraConfig(r=3, lora_alpha=7, target_modules="all-linear", init_lora_weights=False,
                                               rank_pattern={"o_proj": 5}, alpha_pattern={".*up_proj": 2}, task_type="CAUSAL_LM"))
    with torch.no_grad():  # smaller: a model blown up tells rounding, not mistakes
        for n, p in adapted.named_parameters():
            if "lora_B" in n:
                p.mul_(0.3)
    e["adapter.logp"], _, _ = run(adapted, docs, targets)
    for n, p in adapted.named_parameters():
        if p.requires_grad:
            e["adapter.grad." + n.replace(".default", "")] = p.grad.clone()
    adapted.peft_config["default"].base_model_name_or_path = "made-here"
    adapted.save_pretrained(os.path.join(out, "adapter"))
    os.remove(os.path.join(out, "adapter", "README.md"))
    save_file({k: v.contiguous().clone() for k, v in e.items()}, os.path.join(out, "expect.safetensors"))


def main():
    out, folders = sys.argv[1], sys.argv[2:]
    for name in MADE if not folders else []:
        model = make(name)
        d = os.path.join(out, name)
        model.generation_config.eos_token_id = 2
        # A copy: to() also rounds the frequencies of the rotary positions.
        copy.deepcopy(model).to(STORED.get(name, torch.float32)).save_pretrained(d)
        record(d, model, [19, 1, 8, 30])
    for f in folders:
        model = tf.AutoModelForCausalLM.from_pretrained(f, dtype=torch.float32, attn_implementation="eager")
        d = os.path.join(out, os.path.basename(f.rstrip("/")))
        os.makedirs(d, exist_ok=True)
        for n in os.listdir(f):
            os.symlink(os.path.abspath(os.path.join(f, n)), os.path.join(d, n))
        record(d, model, [300, 17, 90, 256])


main()

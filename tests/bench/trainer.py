#!/usr/bin/env python3
"""Training steps beside PyTorch: trainer.py PROGRAM [--threads N] [--only WORD] [--seconds S]

The same model sizes, documents of one length (so that nothing is padded for the
peer), float32, every position learnt, AdamW and clipping. The ratio is PyTorch's
time by ours: above 1 we are ahead. Best step of each, in one run; the time on
the CPU of all threads tells more on a machine that others use too.
"""
import argparse, os, subprocess, sys, time
os.environ.setdefault("HF_HUB_OFFLINE", "1")
p = argparse.ArgumentParser()
p.add_argument("program")
p.add_argument("--threads", type=int, default=2)
p.add_argument("--only", default="")
p.add_argument("--seconds", type=float, default=3)
p.add_argument("--no-peer", action="store_true")
a = p.parse_args()

#        hidden layers heads kv ff vocab documents length
SIZES = {
    "1M": (128, 4, 4, 2, 384, 2048, 16, 128),
    "1M-long": (128, 4, 8, 4, 384, 2048, 1, 2048),
    "5M": (256, 6, 8, 4, 688, 4096, 16, 128),
    "30M": (512, 8, 8, 4, 1376, 8192, 4, 256),
    "110M": (768, 12, 12, 4, 2048, 32000, 2, 256),
}


def ours(mode, s, steps):
    out = subprocess.run([a.program, mode, *map(str, s), str(steps), str(a.threads)], capture_output=True, text=True, check=True).stdout.split(" ", 5)
    return float(out[0]), float(out[2]), " ".join(out[4:]).strip()


def peer(mode, s):
    import torch, transformers as tf
    torch.set_num_threads(a.threads)
    torch.manual_seed(1)
    h, layers, heads, kv, ff, vocab, docs, length = s
    m = tf.LlamaForCausalLM(tf.LlamaConfig(vocab_size=vocab, hidden_size=h, intermediate_size=ff, num_hidden_layers=layers,
        num_attention_heads=heads, num_key_value_heads=kv, tie_word_embeddings=True, max_position_embeddings=2048, attn_implementation="sdpa"))
    if mode == "lora":
        import peft
        m = peft.get_peft_model(m, peft.LoraConfig(r=8, lora_alpha=8, target_modules="all-linear"))
    m.train()
    params = [q for q in m.parameters() if q.requires_grad]
    opt = torch.optim.AdamW(params, lr=1e-4, fused=True)
    ids = (torch.arange(docs * length) * 2654435761 % vocab).view(docs, length)
    best, work, end, n = 1e9, 1e9, time.time() + a.seconds, 0
    while n < 4 or time.time() < end:
        t, c = time.perf_counter(), time.process_time()
        loss = m(input_ids=ids, labels=ids).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(params, 1.0)
        opt.step()
        opt.zero_grad()
        n += 1
        if n > 2:
            best, work = min(best, time.perf_counter() - t), min(work, time.process_time() - c)
    return 1e3 * best, 1e3 * work


print(f"{'model':8} {'step':5} {'ours ms':>9} {'PyTorch ms':>11} {'ratio':>6} {'ours cpu ms':>12} {'PyTorch cpu':>11} {'ratio':>6}")
for name, s in SIZES.items():
    for mode in "full", "lora":
        if a.only and a.only not in f"{name}/{mode}":
            continue
        first = ours(mode, s, 1)[0]
        o = ours(mode, s, max(2, min(500, int(1000 * a.seconds / first))))
        t = (0, 0) if a.no_peer else peer(mode, s)
        print(f"{name:8} {mode:5} {o[0]:9.2f} {t[0]:11.2f} {t[0] / o[0]:6.2f} {o[1]:12.2f} {t[1]:11.2f} {t[1] / o[1]:6.2f}", flush=True)
print(f"{a.threads} threads, {o[2]}")

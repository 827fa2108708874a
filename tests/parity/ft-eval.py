"""See ft-eval.sh."""
import json, os, subprocess, sys, tempfile
os.environ["HF_HUB_OFFLINE"] = "1"
import torch, transformers as tf
torch.set_num_threads(1)
bad = 0
small = dict(vocab_size=200, hidden_size=48, intermediate_size=80, num_hidden_layers=3, num_attention_heads=6, num_key_value_heads=2,
             max_position_embeddings=256, bos_token_id=1, eos_token_id=2, pad_token_id=None, initializer_range=0.15)
CASES = {
    "llama": (tf.LlamaConfig(**small), {}),
    "llama, tied": (tf.LlamaConfig(**small, tie_word_embeddings=True), {}),
    "llama, biases, head_dim": (tf.LlamaConfig(**small, attention_bias=True, mlp_bias=True, head_dim=10), {}),
    "llama, gelu": (tf.LlamaConfig(**small, hidden_act="gelu_pytorch_tanh", rms_norm_eps=1e-3), {}),
    "llama, llama3 rope": (tf.LlamaConfig(**small, rope_parameters=dict(rope_type="llama3", rope_theta=5e4, factor=8.0, low_freq_factor=1.0,
                                          high_freq_factor=4.0, original_max_position_embeddings=64)), {}),
    "llama, linear rope": (tf.LlamaConfig(**small, rope_parameters=dict(rope_type="linear", rope_theta=1e4, factor=2.5)), {}),
    "llama, yarn": (tf.LlamaConfig(**small, rope_parameters=dict(rope_type="yarn", rope_theta=1e4, factor=4.0, original_max_position_embeddings=64)), {}),
    "mistral, window": (tf.MistralConfig(**small, sliding_window=24), {}),
    "qwen2, tied": (tf.Qwen2Config(**small, tie_word_embeddings=True), {}),
    "qwen2, window": (tf.Qwen2Config(**small, use_sliding_window=True, sliding_window=16, max_window_layers=1), {}),
    "qwen3": (tf.Qwen3Config(**small, head_dim=16), {}),
    "llama, bfloat16, several files": (tf.LlamaConfig(**small), dict(dtype=torch.bfloat16, max_shard_size="60KB")),
    "llama, float16": (tf.LlamaConfig(**small), dict(dtype=torch.float16)),
}


def sh(*cmd, stdin=None):
    r = subprocess.run(cmd, input=stdin, capture_output=True, text=True)
    if r.returncode:
        sys.exit(f"{cmd}: status {r.returncode}: {r.stderr}")
    return r.stdout


def reference(model, rows):
    nll = n = 0.0
    with torch.no_grad():
        for ids in rows:
            x = torch.tensor([ids])
            lp = torch.log_softmax(model(x).logits[0].double(), -1)[:-1]
            nll -= lp.gather(1, x[0, 1:, None]).sum().item()
            n += len(ids) - 1
    return nll / n


def check(name, ours, theirs):
    global bad
    ok = abs(ours - theirs) <= 1e-5
    bad += not ok
    print(f"{'ok  ' if ok else 'FAIL'} {name}: {ours:.7f}, transformers {theirs:.7f}")


g = torch.Generator().manual_seed(0)
rows = [torch.randint(0, 200, (n,), generator=g).tolist() for n in (5, 33, 60, 100)]
load = lambda d: tf.AutoModelForCausalLM.from_pretrained(d, dtype=torch.float32, attn_implementation="eager")
with tempfile.TemporaryDirectory() as t:
    sh("ft-pack", "-o", t + "/d", "--length", "128", "--strategy", "bfd", stdin="".join(json.dumps({"input_ids": r}) + "\n" for r in rows))
    evaluate = lambda d: json.loads(sh("ft-eval", "-m", d, "-d", t + "/d", "-j2"))["loss"]
    for i, (name, (config, how)) in enumerate(CASES.items()):
        torch.manual_seed(i)
        model = tf.AutoModelForCausalLM.from_config(config)
        for n, p in model.named_parameters():
            if "norm" in n or "bias" in n:
                p.data += 0.2 * torch.randn_like(p)
        how = dict(how)
        model = model.to(how.pop("dtype", torch.float32))
        d = f"{t}/m{i}"
        model.save_pretrained(d, **how)
        want = reference(load(d), rows)
        check(name, evaluate(d), want)
        sh("ft-train", "sft", "-m", d, "-d", t + "/d", "-o", f"{t}/r{i}", "--max-steps", "3", "--eval-share", "0", "-q", "--learning-rate", "1e-3")
        check(name + ", after 3 steps", evaluate(f"{t}/r{i}"), reference(load(f"{t}/r{i}"), rows))
        sh("ft-train", "sft", "-m", d, "-d", t + "/d", "-o", f"{t}/a{i}", "--max-steps", "3", "--eval-share", "0", "-q", "--lora-r", "4", "--learning-rate", "1e-2")
        sh("ft-merge", "-m", d, "--adapter", f"{t}/a{i}", "-o", f"{t}/b{i}")
        check(name + ", merged", evaluate(f"{t}/b{i}"), reference(load(f"{t}/b{i}"), rows))
sys.exit(bad > 0)

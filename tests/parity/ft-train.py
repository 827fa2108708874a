"""See ft-train.sh. Prints the largest relative deviation of each run and fails above what float32 explains."""
import json, os, subprocess, sys, tempfile
os.environ["HF_HUB_OFFLINE"] = "1"
sys.path.insert(0, os.environ["TESTS"] + "/golden/trainer")
import torch, transformers, peft, trl
from reference import train

data = os.environ["TEST_DATA"]
bad = 0
print("torch", torch.__version__, "transformers", transformers.__version__, "peft", peft.__version__, "trl", trl.__version__)


def sh(*cmd, stdin=None):
    r = subprocess.run(cmd, input=stdin, capture_output=True, text=True)
    if r.returncode:
        sys.exit(f"{cmd}: status {r.returncode}: {r.stderr}")
    return r.stdout


def say(what, value, limit):
    global bad
    ok = value <= limit
    bad += not ok
    print(f"{'ok  ' if ok else 'FAIL'} {what}: {value:.2e} (limit {limit:g})")


def rows_of(model, n, length):
    lines = open(data + "/datasets/gsm8k/train.jsonl").read().splitlines()[: 3 * n]
    out = sh("tokenize", "-m", model, "--map", "prompt=question,completion=answer", stdin="\n".join(lines) + "\n")
    out = sh("mask-completion", stdin=out)
    rows = [json.loads(l) for l in out.splitlines()]
    return [r for r in rows if len(r["input_ids"]) <= length][:n]


def compare(name, log, trace, keys):
    ours = [json.loads(l) for l in open(log)]
    ours = [r for r in ours if "loss" in r]
    theirs = [json.loads(l) for l in open(trace)]
    theirs = [r for r in theirs if "loss" in r]
    if len(ours) != len(theirs):
        say(f"{name}: {len(ours)} steps, trl {len(theirs)}", 1, 0)
    for k, limit in keys.items():
        say(f"{name}: {k}", max(abs(a[k] - b[k]) / max(abs(b[k]), 1e-12) for a, b in zip(ours, theirs)), limit)


def logits(model, rows):
    out = []
    with torch.no_grad():
        for r in rows:
            out.append(model(torch.tensor([r["input_ids"]])).logits[0])
    return torch.cat(out)


RUNS = {"TinyStories-656K": ((1, True), (3, False)), "stories260K": ((4, True),)}
for name in RUNS:
    base = f"{data}/models/{name}"
    rows = rows_of(base, 20, 300)
    load = lambda d=base: transformers.AutoModelForCausalLM.from_pretrained(d, dtype=torch.float32, attn_implementation="eager")
    with tempfile.TemporaryDirectory() as t:
        text = "".join(json.dumps({"input_ids": r["input_ids"], "labels": r["labels"]}) + "\n" for r in rows)
        sh("ft-pack", "-o", t + "/d", "--length", "300", "--strategy", "none", stdin=text)
        torch.manual_seed(5)
        peft.get_peft_model(load(), peft.LoraConfig(r=8, lora_alpha=16, target_modules="all-linear", use_rslora=True,
                                                    rank_pattern={"layers.0.self_attn.q_proj": 3}, alpha_pattern={"v_proj": 5},
                                                    task_type="CAUSAL_LM")).save_pretrained(t + "/a")
        common = dict(per_device_train_batch_size=3, max_steps=20)
        flags = ["--per-device-train-batch-size", "3", "--max-steps", "20", "--train-sampling-strategy", "sequential",
                 "--logging-steps", "1", "--eval-share", "0", "-q", "-j2", "--warmup-steps", "2"]
        for ga, adapter in RUNS[name]:
            n = f"{name} {'LoRA' if adapter else 'full'} GA {ga}"
            lr = 1e-3 if adapter else 3e-4
            train(base, rows, t + f"/ref{ga}", adapter=t + "/a" if adapter else None, gradient_accumulation_steps=ga, learning_rate=lr,
                  lr_scheduler_type="cosine", warmup_steps=2, seed=1, evaluate=False, **common)
            sh("ft-train", "sft", "-m", base, "-d", t + "/d", "-o", t + "/run", "--force", "--learning-rate", str(lr),
               "--gradient-accumulation-steps", str(ga), *(["--adapter", t + "/a"] if adapter else []), *flags)
            compare(n, t + "/run/log.jsonl", t + f"/ref{ga}/log.jsonl", {"step": 0, "epoch": 1e-12, "loss": 3e-6, "grad_norm": 3e-5, "learning_rate": 1e-12,
                                                                  "entropy": 1e-5, "num_tokens": 0, "mean_token_accuracy": 2e-3})
            if adapter:
                mine = peft.PeftModel.from_pretrained(load(), t + "/run")
                ref = peft.PeftModel.from_pretrained(load(), t + f"/ref{ga}")
            else:
                mine, ref = load(t + "/run"), load(t + f"/ref{ga}")
                transformers.GenerationConfig.from_pretrained(t + "/run")
            a, b = logits(mine, rows[:4]), logits(ref, rows[:4])
            say(f"{n}: logits of ours and trl's in the reference", (a - b).abs().max().item(), 2e-4 if adapter else 5e-3)
            # Our own forward of what we wrote, and merged.
            loss = json.loads(sh("ft-eval", "-m", base if adapter else t + "/run", *(["--adapter", t + "/run"] if adapter else []), "-d", t + "/d", "-j2"))["loss"]
            nll = n_targets = 0.0
            for r in rows:
                lp = torch.log_softmax(logits(mine, [r]).double(), -1)
                lab = torch.tensor(r["labels"])[1:]
                m = lab != -100
                nll -= lp[:-1][m].gather(1, lab[m][:, None]).sum().item()
                n_targets += m.sum().item()
            say(f"{n}: ft-eval of it, reference {nll / n_targets:.6f}", abs(loss - nll / n_targets), 1e-5)
            if adapter:
                sh("ft-merge", "-m", base, "--adapter", t + "/run", "-o", t + "/merged", "--force")
                say(f"{n}: logits of ft-merge's folder and of the adapter", (logits(load(t + "/merged"), rows[:4]) - a).abs().max().item(), 1e-4)
                transformers.AutoTokenizer.from_pretrained(t + "/merged")
sys.exit(bad > 0)

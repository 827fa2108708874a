"""Trains with trl's SFTTrainer (1.16, transformers 5.23, peft 0.21) and writes its trace, for comparison with ft-train.

    reference.py MODEL ROWS.jsonl OUT [--adapter DIR] [--packing LENGTH] NAME=VALUE ...

ROWS holds {"input_ids": [...], "labels": [...]} a line. OUT gets log.jsonl and the trained adapter or model. Everything
that trl would change behind our back is off: bf16, gradient checkpointing, shuffling, truncation."""
import json, os, sys
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
import torch, transformers, peft
from datasets import Dataset
from trl import SFTConfig, SFTTrainer

torch.set_num_threads(int(os.environ.get("THREADS", 2)))



def tokenizer():
    """trl wants one for its pad token only: rows are token ids already."""
    from tokenizers import Tokenizer as T, models
    return transformers.PreTrainedTokenizerFast(tokenizer_object=T(models.WordLevel({"<pad>": 0, "<eos>": 1}, "<pad>")),
                                                pad_token="<pad>", eos_token="<eos>")


def train(model_dir, rows, out, adapter=None, packing=None, eval_rows=None, evaluate=True, **kw):
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_pretrained(model_dir, dtype=torch.float32, attn_implementation="eager")
    if adapter:
        model = peft.PeftModel.from_pretrained(model, adapter, is_trainable=True)
    cols = lambda rs: Dataset.from_list([{"input_ids": r["input_ids"], "completion_mask": [int(x != -100) for x in r["labels"]]} for r in rs])
    extra = dict(packing=True, packing_strategy="bfd", max_length=packing) if packing else dict(max_length=None)
    args = SFTConfig(output_dir=out, report_to=[], bf16=False, gradient_checkpointing=False, logging_steps=1, save_strategy="no",
                     train_sampling_strategy="sequential", disable_tqdm=True, use_cpu=True, completion_only_loss=True, **extra, **kw)
    t = SFTTrainer(model=model, args=args, train_dataset=cols(rows), eval_dataset=cols(eval_rows or rows), processing_class=tokenizer())
    before = t.evaluate() if evaluate else {"eval_loss": None}
    t.train()
    after = t.evaluate() if evaluate else {"eval_loss": None}
    os.makedirs(out, exist_ok=True)
    with open(out + "/log.jsonl", "w") as f:
        for r in t.state.log_history:
            if "grad_norm" in r:
                f.write(json.dumps({k: r[k] for k in ("step", "epoch", "loss", "grad_norm", "learning_rate", "entropy", "num_tokens", "mean_token_accuracy")}) + "\n")
        f.write(json.dumps({"before": before["eval_loss"], "after": after["eval_loss"]}) + "\n")
    t.model.save_pretrained(out)
    return t


def parse(words):
    kw = {}
    for w in words:
        k, v = w.split("=", 1)
        try:
            kw[k] = json.loads(v)
        except ValueError:
            kw[k] = v
    return kw


if __name__ == "__main__":
    a = sys.argv[1:]
    model, rows, out = a[:3]
    kw = parse([w for w in a[3:] if not w.startswith("--")])
    for i, w in enumerate(a):
        if w.startswith("--"):
            kw[w[2:].split("=")[0]] = w.split("=", 1)[1]
    if "packing" in kw:
        kw["packing"] = int(kw["packing"])
    train(model, [json.loads(l) for l in open(rows)], out, **kw)

"""train-tokenizer against tokenizers' BpeTrainer: vocabulary and merges must be equal.

    train_tokenizer.py ROUNDS [SEED]

The library's answer may change between runs where its hash tables decide (a limit
of the alphabet that falls among equally rare characters); nothing here asks for
that. Every text is learnt from as plain text: the library knows no special tokens
while it trains.
"""
import csv
import json
import os
import random
import subprocess
import sys

os.environ["TOKENIZERS_PARALLELISM"] = "true"
import tokenizers
from tokenizers import Tokenizer, models, pre_tokenizers, trainers


def ours(texts, out, options):
    with open("texts.jsonl", "w", encoding="utf-8") as f:
        for t in texts:
            f.write(json.dumps({"text": t}, ensure_ascii=False) + "\n")
    subprocess.run(["rm", "-rf", out], check=True)
    cmd = ["train-tokenizer", "-q", "texts.jsonl", "-o", out, "--plain-specials"] + options
    subprocess.run(cmd, check=True, stderr=subprocess.DEVNULL)
    with open(out + "/tokenizer.json", encoding="utf-8") as f:
        return f.read()


def library(text, texts, **kw):
    """Trains what our tokenizer.json describes, apart from its vocabulary."""
    j = json.loads(text)
    tok = Tokenizer.from_str(text)
    m = j["model"]
    t = Tokenizer(models.BPE(unk_token=m["unk_token"], fuse_unk=m["fuse_unk"], byte_fallback=m["byte_fallback"]))
    t.pre_tokenizer = tok.pre_tokenizer
    if tok.normalizer:
        t.normalizer = tok.normalizer
    specials = [a["content"] for a in j["added_tokens"]]
    if m["byte_fallback"]:
        specials += ["<0x%02X>" % b for b in range(256)]
        alphabet = []
    else:
        alphabet = pre_tokenizers.ByteLevel.alphabet()
    t.train_from_iterator(texts, trainers.BpeTrainer(special_tokens=specials, initial_alphabet=alphabet, show_progress=False, **kw))
    return tok.to_str(pretty=True) == text, json.loads(t.to_str())["model"], m


def check(name, texts, spm, vocab, minimum, longest, specials, extra):
    options = ["--vocab-size", str(vocab), "--min-frequency", str(minimum), "--special-tokens", specials]
    options += ["--max-token-length", str(longest)] if longest else []
    options += ["--type", "sentencepiece"] if spm else []
    text = ours(texts, "out", options + extra)
    kw = {"max_token_length": longest} if longest else {}
    saved, want, got = library(text, texts, vocab_size=vocab, min_frequency=minimum, **kw)
    if not saved:
        print("DIFFERS: the library saves another file:", name, options + extra)
    elif want["vocab"] != got["vocab"] or want["merges"] != got["merges"]:
        k = next((i for i, (a, b) in enumerate(zip(want["merges"], got["merges"])) if a != b), -1)
        print("DIFFERS at merge", k, name, options + extra)
    else:
        return True
    return False


def main():
    rounds, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    good = total = 0
    for i in range(seed, seed + rounds):
        r = random.Random(i)
        letters = r.choice(["ab", "abc가", "aé나 ", "01 .\n"])
        longest = r.choice([3, 8, 30])
        texts = [" ".join("".join(r.choice(letters) for _ in range(r.randint(1, longest))) for _ in range(r.randint(1, 40)))
                 for _ in range(r.randint(1, 5))]
        spm = r.random() < .5
        total += 1
        good += check("random %d" % i, texts, spm, 256 * (1 + spm) + r.choice([20, 40, 100, 400]), r.choice([0, 1, 2, 3]),
                      r.choice([0, 0, 0, 2, 3, 4, 6]), r.choice(["", "<s>", "ab", "aba,bb", "a"]),
                      [] if spm else ["--split", r.choice(["gpt2", "qwen2", "llama3", "o200k"])])
    data = os.environ.get("TEST_DATA", "")
    real = {}
    path = data + "/datasets/gsm8k/train.jsonl"
    if os.path.exists(path):
        real["gsm8k"] = [x["question"] + "\n" + x["answer"] for x in map(json.loads, open(path, encoding="utf-8"))]
    path = data + "/datasets/ko-chatbot-songys/ChatbotData.csv"
    if os.path.exists(path):
        real["Korean chat"] = [x[0] + " " + x[1] for x in list(csv.reader(open(path, encoding="utf-8")))[1:]]
    for name in ("wagahai.txt", "moby_dick_1mb.txt"):
        path = data + "/tokenizers/corpora/" + name
        if os.path.exists(path):
            real[name] = open(path, encoding="utf-8").read().split("\n")
    for name, texts in real.items():
        for spm, vocab, extra in ((False, 8000, []), (False, 4000, ["--split", "o200k", "--normalizer", "nfkc"]),
                                  (False, 4000, ["--split", "gpt2", "--split-digits"]), (True, 8000, []),
                                  (True, 6000, ["--prefix-space", "never", "--normalizer", "nfc"])):
            total += 1
            good += check(name, texts, spm, vocab, 2, 0, "<|im_start|>,<|im_end|>", extra)
    print("tokenizers %s: %d of %d trainings equal%s" % (tokenizers.__version__, good, total, "" if real else ", no real text in TEST_DATA"))
    return good != total


sys.exit(main())

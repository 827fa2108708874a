"""One table: seconds to learn 32,000 tokens, ours and the library's, and the ratio.

    train-tokenizer.py MEGABYTES THREADS

The text is what this machine has of Python's own sources and of the data under
TEST_DATA, repeated never: repeated text would have no new words. All read the
same file; reading and writing are in every figure. The best of three for ours,
one run for the library, which takes long.
"""
import json
import os
import resource
import subprocess
import sys
import sysconfig
import time

size, threads = int(float(sys.argv[1]) * 1e6), int(sys.argv[2])
os.environ["RAYON_NUM_THREADS"] = str(threads)
os.environ["TOKENIZERS_PARALLELISM"] = "true" if threads > 1 else "false"
import tokenizers
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

QWEN2 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|"
         r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def files(root, ends):
    for d, dirs, names in sorted(os.walk(root)):
        dirs.sort()
        for n in sorted(names):
            if n.endswith(ends):
                yield os.path.join(d, n)


def gather(name, roots):
    """Documents of up to 20,000 characters until there is enough."""
    have = 0
    texts = []
    for root, ends in roots:
        for path in files(root, ends):
            try:
                text = open(path, encoding="utf-8").read()
            except (OSError, UnicodeDecodeError):
                continue
            for i in range(0, len(text), 20000):
                if have >= size:
                    break
                texts.append(text[i:i + 20000])
                have += len(texts[-1].encode())
    with open(name + ".jsonl", "w", encoding="utf-8") as f:
        for t in texts:
            f.write(json.dumps({"text": t}, ensure_ascii=False) + "\n")
    return have


def timed(run):
    """Seconds, and seconds of the processor: on a busy machine these are the ones to compare."""
    def cpu():
        return sum(sum(resource.getrusage(w)[:2]) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    t, c = time.perf_counter(), cpu()
    run()
    return time.perf_counter() - t, cpu() - c


def ours(name, spm):
    subprocess.run(["rm", "-rf", "out"], check=True)
    subprocess.run(["train-tokenizer", "-q", "-j%d" % threads, name + ".jsonl", "-o", "out", "--vocab-size", "32000", "--plain-specials"]
                   + (["--type", "sentencepiece"] if spm else []), check=True, stderr=subprocess.DEVNULL)


def library(name, spm, out):
    t = Tokenizer(models.BPE())
    specials = ["<|endoftext|>"]
    if spm:
        t.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
        specials = ["<unk>", "<s>", "</s>"] + ["<0x%02X>" % b for b in range(256)]
    else:
        t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(QWEN2), "isolated"),
                                                   pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    texts = (json.loads(line)["text"] for line in open(name + ".jsonl", encoding="utf-8"))
    t.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=32000, min_frequency=2, special_tokens=specials, show_progress=False,
        initial_alphabet=[] if spm else pre_tokenizers.ByteLevel.alphabet()))
    out.append(json.loads(t.to_str())["model"])
    t.save("library.json")


data = os.environ.get("TEST_DATA", "")
texts_of = {
    "code": [(sysconfig.get_paths()["stdlib"], (".py",)), (sysconfig.get_paths()["purelib"], (".py",))],
    "mixed": [(data + "/datasets", (".jsonl", ".csv", ".txt", ".json")), (data + "/tokenizers/corpora", (".txt",))],
}
print("tokenizers %s, %d thread%s, 32,000 tokens" % (tokenizers.__version__, threads, "" if threads == 1 else "s"))
print("%-22s %6s  %14s  %14s %16s  %s" % ("text", "MB", "ours s (CPU)", "library", "ratio", "same"))
for name, roots in texts_of.items():
    have = gather(name, roots)
    if not have:
        continue
    for spm in (False, True):
        mine = min(timed(lambda: ours(name, spm)) for _ in range(3))
        models_ = []
        theirs = timed(lambda: library(name, spm, models_))
        got = json.load(open("out/tokenizer.json", encoding="utf-8"))["model"]
        same = all(got[k] == models_[0][k] for k in ("vocab", "merges"))
        print("%-22s %6.1f %7.2f (%5.2f) %7.2f (%5.2f) %6.1fx (%5.1fx)  %s" %
              (name + (", sentencepiece" if spm else ""), have / 1e6, *mine, *theirs, theirs[0] / mine[0], theirs[1] / mine[1],
               "yes" if same else "NO"))

"""Sets the tokenizer beside its peers: one run, one table, ratios.

    python tokenizer.py PROGRAM DATA [--models A,B,graft:o200k] [--texts en,c] [--peers hf,giga,...]
                        [--rounds N] [--seconds S] [--threads N]

graft:NAME is GPT-2's vocabulary behind another splitting rule, grafts/NAME.pre_tokenizer.json.
PROGRAM is the built tests/bench/tokenizer; DATA the folder with tokenizers/ and
datasets/. Peers that are not installed, or refuse a vocabulary, are left out.
Every round runs all programs in turn on the same texts, and of all rounds the best
counts: on a shared machine only ratios inside one run mean anything.

Three rates, loading left out. first: the first pass over the text in a new process, its
caches empty and their memory never touched (gigatoken has made its cache of the vocabulary
before, on the text "a"). cold: the first pass of another new state in a process that has its
memory. warm: the same text again. Peers that keep no words have one rate for first and cold."""
import argparse, csv, glob, gzip, json, os, subprocess, sys, tempfile, time, zlib

ap = argparse.ArgumentParser()
ap.add_argument("program")
ap.add_argument("data")
ap.add_argument("--models", default="gpt2,cl100k-rebuilt,qwen3-rebuilt,modernbert,mistral-7b-v0.3,bert-base-cased,t5-small,xlnet-base-cased,"
                "falcon-7b,graft:o200k,graft:deepseek-v3,graft:smollm-starcoder-commandr")
ap.add_argument("--texts", default="en,chat,c,ko,ja")
ap.add_argument("--peers", default="hf,giga,tiktoken,spm")
ap.add_argument("--rounds", type=int, default=2)
ap.add_argument("--seconds", type=float, default=0.2)
ap.add_argument("--threads", type=int, default=1)
ap.add_argument("--limit", type=int, default=1_500_000, help="bytes of a text")
ap.add_argument("--hf-limit", type=int, default=200_000)
a = ap.parse_args()
# Of one thread the time on the CPU: others may be at work on the machine.
clock = time.process_time if a.threads == 1 else time.perf_counter
tmp = tempfile.mkdtemp()
TOK, SETS = os.path.join(a.data, "tokenizers"), os.path.join(a.data, "datasets")


def folder(m):
    if not m.startswith("graft:"):
        return f"{TOK}/{m}"
    d = f"{tmp}/{m[6:]}"
    if not os.path.isdir(d):
        os.mkdir(d)
        j = json.load(open(f"{TOK}/gpt2/tokenizer.json"))
        j["pre_tokenizer"] = json.load(open(f"{TOK}/grafts/{m[6:]}.pre_tokenizer.json"))
        with open(f"{d}/tokenizer.json", "w") as f:
            json.dump(j, f)
    return d


def paragraphs(text, size=2000):
    out, n = [], 0
    for p in text.split("\n\n"):
        out.append(p)
        n += len(p)
        if n > size:
            yield "\n\n".join(out)
            out, n = [], 0
    if out:
        yield "\n\n".join(out)


def read(path):
    return open(path, encoding="utf-8", errors="replace", newline="").read()


def texts(kind):
    if kind == "en":
        yield from paragraphs(read(f"{TOK}/corpora/moby_dick_1mb.txt"))
        yield from paragraphs(read(f"{SETS}/tinystories-val/tinystories_val.txt"))
    elif kind == "chat":
        for line in gzip.open(f"{SETS}/hh-rlhf-harmless-test/test.jsonl.gz", "rt"):
            yield json.loads(line)["chosen"]
        for line in open(f"{SETS}/gsm8k/train.jsonl"):
            r = json.loads(line)
            yield r["question"] + "\n" + r["answer"]
    elif kind == "c":
        for p in sorted(glob.glob("/usr/include/*.h") + glob.glob("/usr/include/linux/*.h")):
            yield read(p)[:40000]
    elif kind == "ko":
        rows = list(csv.reader(open(f"{SETS}/ko-chatbot-songys/ChatbotData.csv", encoding="utf-8")))[1:]
        for i in range(0, len(rows), 12):
            yield "\n".join(f"{r[0]} {r[1]}" for r in rows[i : i + 12])
    elif kind == "ja":
        t = read(f"{TOK}/corpora/wagahai.txt")
        for i in range(0, len(t), 1500):
            yield t[i : i + 1500]


def capped(kind):
    out, n = [], 0
    for t in texts(kind):
        t = t.replace("\0", " ")
        out.append(t)
        n += len(t.encode())
        if n >= a.limit:
            break
    return out


def flat(ids):
    import array
    return zlib.crc32(array.array("i", ids).tobytes())


class Giga:  # a process each round, as ours
    def __init__(self, m):
        import gigatoken
        self.path = f"{folder(m)}/tokenizer.json"
        self.t = gigatoken.Tokenizer(self.path)

    def round(self, file):
        return json.loads(subprocess.run([sys.executable, "-c", GIGA, self.path, file, str(a.seconds), str(a.threads)],
                                         stdout=subprocess.PIPE, check=True).stdout)

    def ids(self, docs):
        return [i for d in self.t.encode_batch_list(docs, parallel=False) for i in d]


GIGA = """
import gigatoken, json, sys, time
path, file, seconds, threads = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
clock = time.process_time if threads == 1 else time.perf_counter
docs = [d.decode() for d in open(file, "rb").read().split(b"\\0") if d]
size = sum(len(d.encode()) for d in docs)
def new():
    global t
    t = gigatoken.Tokenizer(path)
    t.encode_batch(["a"], parallel=False)
def rate():
    t0 = clock()
    t.encode_batch(docs, parallel=threads > 1)
    return size / (clock() - t0) / 1e6
t0 = clock()
new()
load = clock() - t0
first, cold, warm = rate(), 0, 0
for _ in range(3):
    new()
    cold = max(cold, rate())
t0 = clock()
while not warm or clock() - t0 < seconds:
    warm = max(warm, rate())
print(json.dumps({"load_ms": 1e3 * load, "first": first, "cold": cold, "warm": warm}))
"""


class HF:
    def __init__(self, m):
        os.environ["TOKENIZERS_PARALLELISM"] = "true" if a.threads > 1 else "false"
        import tokenizers
        self.t = tokenizers.Tokenizer.from_file(f"{folder(m)}/tokenizer.json")
        self.t.no_padding()
        self.t.no_truncation()

    def run(self, docs):  # the better of a batch and one by one
        t0 = clock()
        self.t.encode_batch_fast(docs, add_special_tokens=False)
        t1 = clock()
        for d in docs:
            self.t.encode(d, add_special_tokens=False)
        t2 = clock()
        return min(t1 - t0, t2 - t1)

    def ids(self, docs):
        return [i for d in docs for i in self.t.encode(d, add_special_tokens=False).ids]


class Tik:
    def __init__(self, m):
        import tiktoken, base64
        if m == "cl100k-rebuilt":
            ranks = {base64.b64decode(x): int(y) for x, y in (l.split() for l in open(f"{TOK}/{m}/cl100k_base.tiktoken"))}
            pat = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
        elif m == "gpt2":
            v = json.load(open(f"{TOK}/{m}/tokenizer.json"))["model"]["vocab"]
            bs = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
            cs, n = bs[:], 0
            for b in range(256):
                if b not in bs:
                    bs.append(b)
                    cs.append(256 + n)
                    n += 1
            back = {chr(c): b for b, c in zip(bs, cs)}
            ranks = {bytes(back[c] for c in k): i for k, i in v.items() if all(c in back for c in k) and k != "<|endoftext|>"}
            pat = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
        else:
            raise ValueError
        self.t = tiktoken.Encoding(m, pat_str=pat, mergeable_ranks=ranks, special_tokens={})

    def run(self, docs):
        for d in docs:
            self.t.encode_ordinary(d)

    def ids(self, docs):
        return [i for d in docs for i in self.t.encode_ordinary(d)]


class Spm:
    def __init__(self, m):
        import sentencepiece
        path = glob.glob(f"{TOK}/{m}/*.model")
        if not path:
            raise ValueError
        self.t = sentencepiece.SentencePieceProcessor(model_file=path[0])

    def run(self, docs):
        for d in docs:
            self.t.encode(d)


def timed(fn, *args):
    t0 = clock()
    r = fn(*args)
    t = clock() - t0
    return r if isinstance(r, float) else t


def best(old, new):
    return new if old is None or new > old else old


RATES = "first", "cold", "warm"
PEERS = {"hf": HF, "giga": Giga, "tiktoken": Tik, "spm": Spm}
docs, files = {}, {}
for k in a.texts.split(","):
    docs[k] = capped(k)
    files[k] = f"{tmp}/{k}"
    with open(files[k], "wb") as f:
        for d in docs[k]:
            f.write(d.encode() + b"\0")
print(f"threads {a.threads}; MB/s; peers best of {a.rounds} rounds; ratio = ours / theirs")
print("repeat: make bench-tokenizer ARGS='%s'" % " ".join(sys.argv[3:]))
print(f"{'model':18}{'text':6}{'ours first':>11}{'cold':>8}{'warm':>8}   peers: first (ratio) cold (ratio) warm (ratio)")
for m in a.models.split(","):
    peers = {}
    for p in a.peers.split(","):
        try:
            peers[p] = PEERS[p](m)
        except BaseException as e:
            if isinstance(e, KeyboardInterrupt):
                raise
    for k in docs:
        size = sum(len(d.encode()) for d in docs[k])
        small, n = [], 0
        for d in docs[k]:
            small.append(d)
            n += len(d.encode())
            if n >= a.hf_limit:
                break
        ours, rate = dict.fromkeys(RATES), {p: dict.fromkeys(RATES) for p in peers}
        for _ in range(a.rounds):
            r = json.loads(subprocess.run([a.program, folder(m), files[k], str(a.seconds), str(a.threads)],
                                          stdout=subprocess.PIPE, check=True).stdout)
            for x in RATES:
                ours[x] = best(ours[x], r[x])
            for p, t in peers.items():
                if p == "giga":
                    g = t.round(files[k])
                    load = g["load_ms"]
                else:
                    g = {"first": n / timed(t.run, small) / 1e6, "warm": None}
                    t0 = clock()
                    while g["warm"] is None or clock() - t0 < a.seconds:
                        g["warm"] = best(g["warm"], n / timed(t.run, small) / 1e6)
                    g["cold"] = g["first"]
                for x in RATES:
                    rate[p][x] = best(rate[p][x], g[x])
        notes = ""
        for p, t in peers.items():
            if hasattr(t, "ids") and p == ("giga" if "giga" in peers else "hf"):
                if flat(t.ids(docs[k])) != r["crc"]:
                    notes += f"  ids differ from {p}"
            shown = [x for x in RATES if p == "giga" or x != "cold"]
            notes += f"  {p} " + " ".join(f"{rate[p][x]:.1f} ({ours[x] / rate[p][x]:.2f})" for x in shown)
        if "giga" in peers:
            notes += f"  load {r['load_ms']:.0f} ms, giga {load:.0f}"
        print(f"{m:18.17}{k:6}{ours['first']:11.1f}{ours['cold']:8.1f}{ours['warm']:8.1f} {notes}", flush=True)

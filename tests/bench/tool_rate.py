"""The tools around the tokenizer beside the library alone: CPU time a text, as a ratio.

    python tool_rate.py BIN LIBRARY DATA [--models A,B] [--texts en,chat,ko] [--mb N] [--rounds N]

BIN is the folder of the tools, LIBRARY the built tests/bench/tokenizer, DATA the folder with tokenizers/
and datasets/. `library`: the same texts encoded in place, in the memory of a process that has read them, and where
records have spans the places of these among the tokens, for that is the library's work in the tool too. As the tool
does it: one pass of a new process, whose caches are empty and whose memory was never touched; less the new state and
the first record, since the tool's time is less that of one record. (Until November 2026 it was the best pass of
three more new states in memory touched before, and without places: 5 to 15 % less.) `warm` is a later pass.
`json`: tokenize, JSON lines in, ids as JSON out. `pack`: tokenize --binary | ft-pack, JSON lines in,
a set of shards in a new folder out, the CPU time of both processes; `frames` and `ft-pack`: each of them alone, by way of a file.
`two`: the same on two cores, by the clock. A ratio is the tool's time, less that of one record (start-up, which
`start` gives in ms for both), over the library's; of all rounds each number's best counts."""
import argparse, array, csv, gzip, json, os, resource, shutil, subprocess, sys, tempfile, time

ap = argparse.ArgumentParser()
ap.add_argument("bin")
ap.add_argument("library")
ap.add_argument("data")
ap.add_argument("--models", default="gpt2,qwen3-rebuilt,bert-base-cased,t5-small")
ap.add_argument("--texts", default="en,chat,ko")
ap.add_argument("--mb", type=float, default=24, help="text of a kind")
ap.add_argument("--rounds", type=int, default=3)
ap.add_argument("--two", action="store_true", help="also on two cores")
a = ap.parse_args()
TOK, SETS = os.path.join(a.data, "tokenizers"), os.path.join(a.data, "datasets")
CHATML = "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"


def documents():
    """English of 0.5 to 4 kB."""
    import random
    rnd = random.Random(7)
    text = open(f"{TOK}/corpora/moby_dick_1mb.txt", encoding="utf-8", newline="").read()
    text += open(f"{SETS}/tinystories-val/tinystories_val.txt", encoding="utf-8", newline="").read()
    at = 0
    while at < len(text):
        n = rnd.randrange(500, 4000)
        yield {"text": text[at : at + n], "source": "books", "id": at}
        at += n


def chats():
    for line in gzip.open(f"{SETS}/hh-rlhf-harmless-test/test.jsonl.gz", "rt", encoding="utf-8"):
        turns, messages = json.loads(line)["chosen"].split("\n\n"), []
        for t in turns:
            for role, mark in (("user", "Human: "), ("assistant", "Assistant: ")):
                if t.startswith(mark): messages.append({"role": role, "content": t[len(mark) :]})
        if len(messages) > 1: yield {"messages": messages}
    for line in open(f"{SETS}/gsm8k/train.jsonl", encoding="utf-8"):
        r = json.loads(line)
        yield {"messages": [{"role": "user", "content": r["question"]}, {"role": "assistant", "content": r["answer"]}]}


def korean():
    rows = list(csv.reader(open(f"{SETS}/ko-chatbot-songys/ChatbotData.csv", encoding="utf-8")))[1:]
    for i in range(0, len(rows), 12):
        yield {"text": "\n".join(f"{r[0]} {r[1]}" for r in rows[i : i + 12])}


def write(kind, d):
    """The records as JSON lines, and their texts for the library."""
    path, n = f"{d}/{kind}.jsonl", 0
    rows = list({"en": documents, "chat": chats, "ko": korean}[kind]())
    with open(path, "w") as f:
        while n < a.mb * 1e6:
            for r in rows:
                line = json.dumps(r, ensure_ascii=False)
                n += len(line.encode())
                f.write(line + "\n")
                if n >= a.mb * 1e6: break
    if kind == "chat":
        template = f"{d}/chatml.jinja"
        open(template, "w").write(CHATML)
        with open(path + ".out", "wb") as f: subprocess.run([a.bin + "/chat-template", "-q", "--template", template, path], stdout=f, check=True)
        os.replace(path + ".out", path)
    size = 0
    with open(f"{d}/{kind}.nul", "wb") as f, open(f"{d}/{kind}.marks", "wb") as m:
        for line in open(path, encoding="utf-8"):
            r = json.loads(line)
            t = r["text"].replace("\0", " ").encode()
            size += len(t)
            f.write(t + b"\0")
            places = sorted({x for s in r.get("spans", []) + r.get("learn", []) for x in s[:2]})
            array.array("I", [len(places)] + places).tofile(m)
    return path, size


def cpu(command):
    shutil.rmtree(f"{d}/set", ignore_errors=True)  # to remove an old set is no part of packing
    before, t0 = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(["bash", "-c", command], check=True)
    after, t1 = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, t1 - t0


print(f"{'':27}{'library MB/s':>16}{'times the library: ':>28}")
print(f"{'':27}{'first':>8}{'warm':>8}{'json':>9}{'frames':>9}{'ft-pack':>9}{'pack':>9}" + ("{:>9}".format("two") if a.two else "") + f"{'start':>9}")
with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/tmp")) as d:
    kinds = {k: write(k, d) for k in a.texts.split(",")}
    for m in a.models.split(","):
        model = f"{TOK}/{m}"
        for kind, (path, size) in kinds.items():
            best = {}
            def take(key, v): best[key] = min(best.get(key, 1e9), v)
            with open(path) as f: open(f"{d}/one.jsonl", "w").write(f.readline())
            for _ in range(a.rounds):
                lib = json.loads(subprocess.run([a.library, model, f"{d}/{kind}.nul", "0.01", "1"] + [f"{d}/{kind}.marks"] * (kind == "chat"), stdout=subprocess.PIPE, check=True).stdout)
                take("first", size / 1e6 / lib["first"] - lib["one_ms"] / 1e3)
                take("warm", size / 1e6 / lib["warm"])
                run = f"{a.bin}/tokenize -q -j1 -m {model}"
                pack = f"{a.bin}/ft-pack -q --length 2048 --allow-unlearnt -o {d}/set"
                for x, file in (("", path), ("1", f"{d}/one.jsonl")):
                    take("json" + x, cpu(f"{run} {file} >/dev/null")[0])
                    take("frames" + x, cpu(f"{run} --binary {file} >{d}/frames")[0])
                    take("ft-pack" + x, cpu(f"{pack} {d}/frames")[0])
                    used, _ = cpu(f"{run} --binary {file} | {pack}")
                    take("pack" + x, used)
                    if a.two: take("two" + x, cpu(f"{run.replace('-j1', '-j2')} --binary {file} | {pack}")[1])
            def times(k): return (best[k] - best[k + "1"]) / best["first"]
            print(f"{m:18}{kind:9}{size / 1e6 / best['first']:8.0f}{size / 1e6 / best['warm']:8.0f}" + "".join(f"{times(k):8.2f}x" for k in ["json", "frames", "ft-pack", "pack"] + (["two"] if a.two else []))
                  + f"{1e3 * best['pack1']:9.0f}", flush=True)

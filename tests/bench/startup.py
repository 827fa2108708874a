"""One line through tokenize, the whole process by the clock, with the image of the vocabulary and without,
beside gigatoken's load and first call within a running Python.

    python startup.py TOKENIZE DATA [MODEL...]"""
import json, os, subprocess, sys, tempfile, time

tool, data, models = sys.argv[1], sys.argv[2], sys.argv[3:] or ["qwen3-rebuilt", "gpt2"]


def ms(run, times):
    best = 1e9
    for _ in range(times):
        t = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - t)
    return 1e3 * best


def peer(path):
    code = ("import sys, time, gigatoken\nt = time.perf_counter()\nx = gigatoken.Tokenizer(sys.argv[1])\n"
            "x.encode_batch(['Hello there, how are you?'], parallel=False)\nprint(1e3 * (time.perf_counter() - t))")
    out = [subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True) for _ in range(3)]
    return min((float(o.stdout) for o in out if not o.returncode), default=None)


with tempfile.TemporaryDirectory() as d:
    line = d + "/line.jsonl"
    open(line, "w").write(json.dumps({"text": "Hello there, how are you?"}) + "\n")
    for m in models:
        path = f"{data}/tokenizers/{m}"
        def run(cache):
            env = dict(os.environ, TUNEUTILS_CACHE=cache)
            return lambda: subprocess.run([tool, "-q", "-m", path, line], env=env, stdout=subprocess.DEVNULL, check=True)
        run(d + "/cache")()
        image, bare, giga = ms(run(d + "/cache"), 20), ms(run("off"), 3), peer(path + "/tokenizer.json")
        nothing = ms(lambda: subprocess.run([tool, "--version"], stdout=subprocess.DEVNULL, check=True), 20)
        beside = f"; gigatoken {giga:.0f} ms: {giga / image:.0f} and {giga / bare:.1f} times as long" if giga else "; no gigatoken here"
        print(f"{m:16} {image:.1f} ms with the image, {bare:.0f} ms without (a process that does nothing {nothing:.1f} ms){beside}")

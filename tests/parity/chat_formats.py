"""Compares chat-template with trl.apply_chat_template on random records, with the templates that TRL itself ships."""
import collections, glob, json, os, random, shutil, subprocess, sys, tempfile
import transformers, trl
from trl import apply_chat_template

model, tool = sys.argv[1:3]
rng = random.Random(int(os.environ.get("SEED", "1")))
words = "alpha βeta 감마 delta <|im_end|> </s> {{x}} \n\n  ' \" & <b> 🙂 \u200b \u3000 1.50 [INST] <think>".split(" ") + ["", "\n", " "]


def text(): return " ".join(rng.choice(words) for _ in range(rng.randrange(6)))


def message(role):
    m = {"role": role, "content": text()}
    if rng.random() < 0.15: m["content"] = [{"type": "text", "text": text()} for _ in range(rng.randint(1, 2))]
    if role == "assistant" and rng.random() < 0.2: m[rng.choice(["reasoning_content", "thinking", "reasoning"])] = rng.choice([text(), None])
    if role == "assistant" and rng.random() < 0.15:
        m["tool_calls"] = [{"type": "function", "function": {"name": "f", "arguments": {"x": rng.choice([1, 1.5, True, None, text()])}}}]
        m["content"] = rng.choice(["", None, text()])
    if rng.random() < 0.05: m["name"] = text()
    return m


def chat(last=None):
    out = [message("system")] if rng.random() < 0.4 else []
    for _ in range(rng.randint(1, 3)):
        out += [message("user"), message("assistant")]
        if out[-1].get("tool_calls"): out += [{"role": "tool", "name": "f", "content": text()}, message("assistant")]
    while last and out[-1]["role"] != last: out.pop()
    return out


def record():
    kind = rng.randrange(8)
    if kind == 0: r = {"messages": chat()}
    elif kind == 1: r = {"prompt": chat(rng.choice(["user", "assistant"]))}
    elif kind == 2: r = {"prompt": chat("user"), "completion": [message("assistant")]}
    elif kind == 3: r = {"prompt": chat("user"), "completion": [message("assistant"), message("user"), message("assistant")]}
    elif kind == 4: r = {"prompt": chat("user"), "chosen": [message("assistant")], "rejected": [message("assistant")]}
    elif kind == 5:
        p = chat("user")
        r = {"chosen": p + [message("assistant")], "rejected": p + [message("assistant")]}
    elif kind == 6: r = {"prompt": chat("user"), "completion": [message("assistant")], "label": rng.random() < 0.5}
    else:
        p = chat("assistant")
        r = {"prompt": p, "completion": [message("assistant")]}
    if rng.random() < 0.2: r["chat_template_kwargs"] = rng.choice([{"enable_thinking": False}, {"enable_thinking": True, "n": 1.0}, {}])
    if rng.random() < 0.2: r["tools"] = [{"type": "function", "function": {"name": "f", "description": text(), "parameters": {"type": "object", "properties": {"x": {"type": "number"}}}}}]
    return r


shipped = os.path.join(os.path.dirname(trl.__file__), "chat_templates")
templates = {os.path.basename(f): open(f).read() for f in sorted(glob.glob(shipped + "/*.jinja"))}
here = os.path.dirname(os.path.abspath(__file__))
for f in sorted(glob.glob(os.path.join(here, "../../templates/family/*.jinja"))): templates["family/" + os.path.basename(f)] = open(f).read()
total = good = refused = 0
bad = collections.Counter()
for name, template in templates.items():
    folder = tempfile.mkdtemp()
    for f in ("tokenizer.json", "tokenizer_config.json"): shutil.copy(os.path.join(model, f), folder)
    config = json.load(open(folder + "/tokenizer_config.json"))
    config["bos_token"] = "<|endoftext|>"
    json.dump(config, open(folder + "/tokenizer_config.json", "w"))
    open(folder + "/chat_template.jinja", "w").write(template)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    records = [record() for _ in range(int(os.environ.get("COUNT", "150")))]
    want = []
    for r in records:
        try: want.append(apply_chat_template(json.loads(json.dumps(r)), tokenizer, tools=r.get("tools")))
        except Exception as e: want.append(e)
    lines = "".join(json.dumps({"row": i, **r}) + "\n" for i, r in enumerate(records))
    out = subprocess.run([tool, "-q", "-m", folder, "--bad", os.devnull], input=lines, capture_output=True, text=True)
    if out.returncode: sys.exit(f"{name}: status {out.returncode}: {out.stderr[-500:]}")
    got = {}
    for line in out.stdout.splitlines():
        g = json.loads(line); got[g["row"]] = g
    for i, w in enumerate(want):
        total += 1
        if isinstance(w, Exception):
            refused += 1
            ok = i not in got
        else: ok = i in got and all(got[i].get(k) == v for k, v in w.items())
        good += ok
        if not ok:
            bad[name] += 1
            if bad[name] == 1: print(name, json.dumps(records[i]), "\n  want", repr(w), "\n  got ", got.get(i))
    shutil.rmtree(folder)
print(f"trl {trl.__version__}, transformers {transformers.__version__}: {good} of {total} records equal ({refused} refused by both) over {len(templates)} templates")
for b in bad.most_common(20): print("short:", *b)
sys.exit(good < total)

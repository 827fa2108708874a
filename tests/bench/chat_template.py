"""CPU time of the tool for a record, and of the engine alone for the same render with spans, over real templates and chats."""
import collections, gzip, json, os, resource, subprocess, sys, tempfile

tool, engine, data = sys.argv[1:4]
conv = json.load(open(data + "/conversations.json"))
by = collections.defaultdict(list)
for line in gzip.open(data + "/oracle.jsonl.gz", "rt", encoding="utf-8"):
    r = json.loads(line)
    if "expected" in r and "continue_final_message" not in r["kwargs"]: by[r["template"]].append(r)
names = sorted(by)[:: int(os.environ.get("EVERY", "12"))]
times = 40


def cpu(args, stdin):
    a = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(stdin, "rb") as f: out = subprocess.run(args, stdin=f, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    b = resource.getrusage(resource.RUSAGE_CHILDREN)
    return b.ru_utime + b.ru_stime - a.ru_utime - a.ru_stime, out


e_sum = t_sum = n_sum = size = 0
with tempfile.TemporaryDirectory() as d:
    for name in names:
        path, tool_in, engine_in = f"{data}/templates/{name}.jinja", d + "/tool", d + "/engine"
        text, first = open(path, newline="").read(), True
        lines = []
        with open(engine_in, "w") as f:
            for r in by[name]:
                kw = dict(r["kwargs"]); c = dict(conv[r["conversation"]]); kw.pop("return_assistant_tokens_mask", None)
                if kw.pop("no_tools", False): c.pop("tools", None)
                lines.append(json.dumps({**c, "chat_template_kwargs": kw}, ensure_ascii=False) + "\n")
                context = {**kw, "tools": None, "documents": None, "add_generation_prompt": False, **c}
                f.write(json.dumps({**({"template": text} if first else {}), "context": context, "spans": True}, ensure_ascii=False) + "\n")
                first = False
        with open(tool_in, "w") as f:
            for _ in range(times): f.writelines(lines)
        empty, _ = cpu([tool, "-q", "-j1", "--template", path], os.devnull)
        used, out = cpu([tool, "-q", "-j1", "--template", path, "--bad", os.devnull], tool_in)
        _, timed = cpu([engine, "--time", str(times)], engine_in)
        good = [x["render"] for x in map(json.loads, timed.splitlines()) if "render" in x]
        e_sum += sum(good) * times; t_sum += used - empty; n_sum += len(good) * times; size += os.path.getsize(tool_in)
print(f"{len(names)} templates, {n_sum} renders: engine {1e6*e_sum/n_sum:.2f} us, tool {1e6*t_sum/n_sum:.2f} us a record ({size/t_sum/1e6:.0f} MB/s in): {t_sum/e_sum:.2f} times the engine")

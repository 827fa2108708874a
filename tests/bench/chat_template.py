"""CPU time of the tool for a record and of the engine alone for the same render, over real templates and chats.

The engine's own rate is what its user gets: a context that is a parsed tree, the same records in the same order, each
rendered into the buffer of the one before with the origin of every byte, as the tool needs it (what of the record the
template reads becomes the engine's values then). The lines say besides what it takes without the origins, what it takes
when the JSON of each line is parsed for it too, and what it takes for the same record again and again, of which
the processor learns the way."""
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


sums, t_sum, n_sum, size = collections.Counter(), 0, 0, 0
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
        own = json.loads(cpu([engine, "--stream", str(times)], engine_in)[1])
        again = [json.loads(x)["render"] for x in cpu([engine, "--time", str(times)], engine_in)[1].splitlines()]
        for k in "alone", "origins", "parsed": sums[k] += own[k] * own["renders"]
        sums["again"] += sum(again) * times
        t_sum += used - empty; n_sum += own["renders"]; size += os.path.getsize(tool_in)
us = {k: 1e6 * v / n_sum for k, v in sums.items()}
t = 1e6 * t_sum / n_sum
print(f"{len(names)} templates, {n_sum} renders, us a record: tool {t:.2f} ({size / t_sum / 1e6:.0f} MB/s in), engine {us['origins']:.2f}: {t / us['origins']:.2f} times")
print(f"  engine without origins {us['alone']:.2f}, with each line parsed {us['parsed']:.2f} ({t / us['parsed']:.2f} times), the same record again {us['again']:.2f} ({t / us['again']:.2f} times)")

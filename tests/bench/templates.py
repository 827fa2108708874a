#!/usr/bin/env python3
"""Renders every row of a template oracle with transformers and with the engine and compares the time.

Usage: templates.py DRIVER FOLDER   (FOLDER: templates/, conversations.json, oracle.jsonl.gz)
transformers: render_jinja_template of one conversation, its template compiled before. The engine: ft_render of the
same context as a parsed JSON tree. Both in processor time."""
import collections
import gzip
import json
import os
import subprocess
import sys
import time

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import logging

logging.disable(logging.WARNING)
import transformers
import transformers.utils.chat_template_utils as U

driver, folder = sys.argv[1:3]
conversations = json.load(open(folder + "/conversations.json"))
rows = collections.defaultdict(list)
for line in gzip.open(folder + "/oracle.jsonl.gz", "rt", encoding="utf-8"):
    r = json.loads(line)
    if "expected" in r and "continue_final_message" not in r["kwargs"] and "return_assistant_tokens_mask" not in r["kwargs"]:
        rows[r["template"]].append(r)

compile_py, render_py, raw_py, lines = {}, {}, {}, []
for name, rs in rows.items():
    text = open(f"{folder}/templates/{name}.jinja", newline="").read()
    start = time.process_time()
    compiled = U._compile_jinja_template(text)
    compile_py[name] = time.process_time() - start
    jobs = []
    for r in rs:
        c = conversations[r["conversation"]]
        c = dict(c) if isinstance(c, dict) else {"messages": c}
        kw = dict(r["kwargs"])
        if kw.pop("no_tools", False): c.pop("tools", None)
        jobs.append((c, kw))
        ctx = dict(messages=U._alias_reasoning_fields(U._plain_template_data(c["messages"])), tools=c.get("tools"), documents=c.get("documents"),
                   **{"add_generation_prompt": False, **kw})
        lines.append((name, text, ctx))
    start = time.process_time()
    for c, kw in jobs: U.render_jinja_template([c["messages"]], tools=c.get("tools"), documents=c.get("documents"), chat_template=text, **kw)
    render_py[name] = (time.process_time() - start) / len(jobs)
    contexts = [ctx for n, t, ctx in lines[-len(jobs):]]
    start = time.process_time()
    for ctx in contexts: compiled.render(**ctx)
    raw_py[name] = (time.process_time() - start) / len(jobs)

p = subprocess.run([driver, "--time", "20"], input="".join(json.dumps({"template": t, "context": c}) + "\n" for n, t, c in lines).encode(), stdout=subprocess.PIPE, check=True)
ours, compile_ours = collections.defaultdict(list), {}
for (name, _, _), line in zip(lines, p.stdout.splitlines()):
    r = json.loads(line)
    ours[name].append(r["render"])
    compile_ours[name] = r["compile"]
n = len(lines)
us = lambda s: f"{1e6 * s:.1f} µs"
py, raw, c = sum(render_py[k] * len(rows[k]) for k in rows) / n, sum(raw_py[k] * len(rows[k]) for k in rows) / n, sum(map(sum, ours.values())) / n
ratio = sorted((render_py[k] * len(rows[k]) / sum(ours[k]), k) for k in rows)
raws = sorted((raw_py[k] * len(rows[k]) / sum(ours[k]), k) for k in rows)
print(f"transformers {transformers.__version__}: {len(rows)} templates, {n} renders")
print(f"render: transformers {us(py)}, jinja2 alone {us(raw)}, engine {us(c)}: {py / c:.0f} x transformers, {raw / c:.0f} x jinja2")
print(f"  slowest templates against transformers: {', '.join(f'{r:.0f} x {k}' for r, k in ratio[:3])}; median {ratio[len(ratio) // 2][0]:.0f} x")
print(f"  slowest templates against jinja2 alone: {', '.join(f'{r:.0f} x {k}' for r, k in raws[:3])}; median {raws[len(raws) // 2][0]:.0f} x")
cp, co = sum(compile_py.values()) / len(rows), sum(compile_ours.values()) / len(rows)
worst = min((compile_py[k] / compile_ours[k], k) for k in rows)
print(f"compile: transformers {1e3 * cp:.2f} ms, engine {us(co)}: {cp / co:.0f} x, least {worst[0]:.0f} x ({worst[1]})")

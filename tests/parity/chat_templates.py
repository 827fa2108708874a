#!/usr/bin/env python3
"""Real templates, random conversations: chat-template and transformers, and every difference between them.

Usage: chat_templates.py [--mutate] TOOL SECONDS SEED FOLDER|FILE...   (folders: their *.jinja; TOOL: build/bin/chat-template)
For every template: text, failure, the message and line of the failure, {% generation %} spans. The variables that a template
asks for get values of all kinds. Templates are taken in random order, round after round, until the time is up. --mutate: something in them is changed first."""
import collections, datetime, difflib, glob, json, logging, os, random, re, signal, subprocess, sys, tempfile, time, warnings

os.environ.setdefault("HF_HUB_OFFLINE", "1")
logging.disable(logging.WARNING)
warnings.simplefilter("ignore")
import jinja2, jinja2.meta
import transformers
import transformers.utils.chat_template_utils as U


class Frozen(datetime.datetime):
    @classmethod
    def now(cls, tz=None): return datetime.datetime(2025, 3, 5, 7, 8, 9)


U.datetime = Frozen
mutating = "--mutate" in sys.argv
tool, seconds, seed, *places = [a for a in sys.argv[1:] if a != "--mutate"]
rng = random.Random(int(seed))
pick, chance = rng.choice, lambda p: rng.random() < p

TEXT = ["", " ", "\n", "hi", "Hello, how are you?", "What is 2+2?", "4.", "  padded \n", "\u3000wide\u00a0", "\u0085nel\u2028", "\u200bzw\ufeff", "한국어 🤖 e\u0301",
        "<script>alert(\"x\") && 'y'</script>", "&lt;b&gt; &amp; &#39;", "{{ x }} {% if a %} {# c #}", "a\r\nb\rc\n", "\\n \\ / \"q\" 'q'", "it's", "both ' and \"",
        "<think>\nhm\n</think>\n\nyes", "<think></think>no", "a</think>b</think>c", "<think>open", "<|im_start|>user\nx<|im_end|>", "[INST] x [/INST]</s>", "<tool_call>{\"name\": \"f\"}</tool_call>",
        "<tool_response>\nok\n</tool_response>", "tool", "{\"a\": 1, \"b\": [true, null, 1.50, \"é\"]}", "[1, 2]", "null", "1.0", "%s %d %", "{} {0} {a}", "line\n\n\nline", "\t\ttab", "x" * 300,
        "```python\nprint('x')\n```", "--- SEP ---", "/think", "/no_think", "hi /no_think", "İıßǅﬁ", "\x00\x1f\x7f", "\U000e0001\U0010ffff", "¿½²٣", "data:image/png;base64,AAAA", "0", "123456789", "abcdefghi"]
KEYS = ["a", "b", "city", "unit", "items", "keys", "values", "get", "type", "properties", "required", "description", "enum", "é", "a b", "0", "name", "x-y", "default", "format", "update", "pop"]
SCALAR = [None, True, False, 0, 1, -1, 42, 3.0, 0.1, 1e-7, 1e16, 1e22, -0.0, 2**63, 10**30, 123456789012, 2.5]


def text(): return pick(TEXT) if chance(.7) else pick([" ", "", "\n"]).join(pick(TEXT) for _ in range(rng.randint(1, 4)))


def value(d=2):
    k = rng.randrange(10)
    if k < 3: return pick(SCALAR)
    if k < 7 or not d: return text()
    if k == 7: return [value(d - 1) for _ in range(rng.randrange(4))]
    return {pick(KEYS): value(d - 1) for _ in range(rng.randrange(4))}


def schema(d=2):
    k = rng.randrange(16)
    s = {"type": pick(["string", "string", "integer", "number", "boolean", "null"])}
    if k == 0: s = {"type": ["string", "null"]}
    if k == 1: s = {"type": pick(["string", "String", "STRING"]), "enum": [pick(["a", "b's", 1, None, True, 'x"y']) for _ in range(rng.randrange(4))]}
    if k == 2 and d: s = {"anyOf": [schema(d - 1), {"type": "null"}]}
    if k == 3 and d: s = {"oneOf": [schema(d - 1) for _ in range(2)]}
    if k in (4, 5) and d: s = {"type": "array", "items": schema(d - 1)}
    if k == 6: s = {"type": "array"}
    if k in (7, 8) and d: s = parameters(d - 1)
    if k == 9: s = {"type": "object"}
    if k == 10 and d: s = {"type": "object", "additionalProperties": pick([True, False, schema(0)])}
    if k == 11: s = {"$ref": "#/$defs/X"}
    if k == 12: s = {}
    if chance(.6): s["description"] = text()
    if chance(.15): s["default"] = value(1)
    if chance(.1): s["nullable"] = pick([True, False])
    if chance(.1): s[pick(["format", "minimum", "maximum", "pattern", "title", "minItems", "maxLength", "const", "items", "keys"])] = value(1)
    return s


def parameters(d=2):
    p = {"type": "object", "properties": {pick(KEYS): schema(d) for _ in range(rng.randrange(5))}}
    if chance(.7): p["required"] = rng.sample(sorted(p["properties"]), rng.randint(0, len(p["properties"])))
    if chance(.1): p["$defs"] = {"X": schema(0)}
    if chance(.1): p["additionalProperties"] = False
    if chance(.05): p.pop("properties")
    return p


def function():
    f = {"name": pick(["f", "get_weather", "search.web", "a-b", "é"])}
    if chance(.9): f["description"] = text()
    if chance(.9): f["parameters"] = parameters() if chance(.95) else pick([{}, None])
    if chance(.2): f["return"] = schema(1)
    if chance(.05): f["strict"] = True
    if chance(.05): f["response"] = schema(1)
    return f


def tools():
    t = []
    for _ in range(rng.randint(1, 3)):
        t.append({"type": "function", "function": function()})
        if chance(.1): t[-1] = function()
        if chance(.03): t[-1] = {"type": pick(["code_interpreter", "browser"]), "function": function()}
        if chance(.03): t[-1].pop("type", None)
    return t


def arguments():
    a = {pick(KEYS): value() for _ in range(rng.randrange(4))}
    if chance(.3): return json.dumps(a, ensure_ascii=chance(.5))
    if chance(.03): return pick([None, [], "", "not json", 5])
    return a


def call():
    c = {"name": pick(["f", "get_weather", "é"]), "arguments": arguments()}
    if chance(.05): c.pop(pick(["name", "arguments"]))
    c = {"type": "function", "function": c} if chance(.85) else c
    if chance(.7): c["id"] = pick(["call00001", "abcdefghi", "c1", "0", "call_1234567890", "functions.f:0"])
    return c


def part():
    k = rng.randrange(14)
    if k < 6: return {"type": "text", "text": text()}
    if k == 6: return {"type": "image"}
    if k == 7: return {"type": "image_url", "image_url": {"url": "http://x/y.png"}}
    if k == 8: return {"type": "image", "image": text()}
    if k == 9: return pick([{"type": "audio", "audio": "a.wav"}, {"type": "audio", "audio_url": "http://x"}, {"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}}])
    if k == 10: return pick([{"type": "video"}, {"type": "video", "video": "v.mp4"}, {"type": "video_url", "video_url": {"url": "u"}}])
    if k == 11: return pick([{"text": text()}, {"type": "thinking", "thinking": text()}, {"type": "refusal", "refusal": text()}, {"type": "document", "data": text()}, {"type": "file", "file": {"a": 1}}, {"type": "json", "json": value()}])
    if k == 12: return pick([{"type": "input_text", "text": text()}, {"type": "output_text", "text": text()}, {"type": "tool_result", "name": "f", "content": value()}, {"type": "text", "content": text()}, {"type": "text", "text": text(), "cache_control": None}])
    return pick([text(), {"type": "text"}, {}, {"type": None, "text": text()}, {"type": "text", "text": None}]) if chance(.5) else {"type": "text", "text": text()}


def content():
    if chance(.72): return text()
    if chance(.75): return [part() for _ in range(rng.randrange(5))]
    return pick([None, value()])


ROLES = ["system", "user", "assistant", "tool", "developer", "ipython", "function", "tool_response", "narrator", "model", "observation", "human", "USER", "latest_reminder", "documents", "0", "1", "critic", "context", "tools", "image"]


def message(role):
    m = {"role": role, "content": content()}
    if role == "assistant":
        if chance(.25): m[pick(["reasoning_content", "thinking", "reasoning"])] = text() if chance(.85) else content()
        if chance(.05): m[pick(["reasoning_content", "thinking", "reasoning"])] = None
        if chance(.25):
            m["tool_calls"] = [call() for _ in range(pick([1, 1, 1, 2, 3, 0]))]
            if chance(.4): m["content"] = pick(["", None])
            if chance(.2): m.pop("content")
        if chance(.04): m["tool_calls"] = pick([None, [], {}, "x"])
        if chance(.04): m[pick(["function_call", "tool_plan", "channel", "recipient", "eot", "prefix", "citations", "audio", "refusal", "task", "thinking_signature", "mask"])] = value()
    if role in ("tool", "function", "ipython", "observation", "tool_response"):
        if chance(.7): m["name"] = pick(["f", "get_weather"])
        if chance(.7): m["tool_call_id"] = pick(["call00001", "abcdefghi", "c1", "0"])
        if chance(.2): m["content"] = value()
    if chance(.03): m["name"] = text()
    if chance(.02): m[pick(["documents", "tools", "extra", "items", "keys", "functions", "files", "id", "status"])] = value()
    if chance(.02): m.pop(pick(sorted(m)))
    if chance(.02): m["role"] = pick(ROLES + [None, 1, True, ""])
    if chance(.05): m = dict(sorted(m.items(), key=lambda _: rng.random()))
    return m


def chat():
    if chance(.1): return [message(pick(ROLES)) for _ in range(rng.randint(1, 5))]
    out = [message("system")] if chance(.4) else [message("developer")] if chance(.06) else []
    for _ in range(rng.randint(1, 3 if chance(.97) else 30)):
        out += [message("user")]
        if chance(.05): out += [message("user")]
        if chance(.9): out += [message("assistant")]
        while "tool_calls" in out[-1] and chance(.85):
            for _ in out[-1]["tool_calls"] or [0]: out += [message("tool")]
            out += [message("assistant")]
        if chance(.04): out += [message(pick(ROLES))]
    while chance(.5) and len(out) > 1 and out[-1].get("role") != "user": out.pop()
    return out


BOOLS = re.compile("^(enable|add|is|use|has|keep|preserve|include|skip|strip|drop|clear|no|with|do|should|convert|regen|truncate|parallel)_|thinking$|_mode$|_in_user_message$")


def kwarg(name):
    if BOOLS.search(name) and chance(.7): return pick([True, False])
    if name.endswith("_token"): return pick(["<s>", "</s>", "<|x|>", "", None, text()]) if chance(.8) else value()
    if re.search("tools|functions|documents", name) and chance(.6): return tools() if name != "documents" else documents()
    if re.search("effort|level", name): return pick(["low", "medium", "high", "none", "max", None, 3, 0.5])
    if re.search("budget|num|count|len", name) and chance(.7): return pick([0, -1, 1, 512, 4096, 10**20, 1.5, "5"])
    if re.search("date|now|today", name) and chance(.7): return pick(["26 Jul 2024", "2025-01-01", ""])
    return value()


def documents(): return [pick([{"title": text(), "text": text()}, {"title": text(), "contents": text()}, {"doc_id": rng.randrange(9), "title": "t", "text": value()}, {"text": text(), "a": value()}]) for _ in range(rng.randrange(4))]


def row(names):
    r = {"messages": chat()}
    if chance(.4): r["tools"] = tools()
    if chance(.15): r["documents"] = documents()
    kw = {}
    if chance(.85): kw.update({"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"})
    if chance(.4): kw["add_generation_prompt"] = True if chance(.95) else pick([False, 1, 0, "x", None])
    elif chance(.25): kw["continue_final_message"] = True if chance(.7) else pick(["content", "reasoning_content", "thinking", "reasoning", "name", "nope"])
    for n in names:
        if chance(.3): kw[n] = kwarg(n)
    return {**r, "chat_template_kwargs": kw}


class Slow(Exception): pass


def alarm(*_): raise Slow()


signal.signal(signal.SIGALRM, alarm)


def reference(template, r):
    r = json.loads(json.dumps(r))
    kw = {k: v for k, v in r["chat_template_kwargs"].items() if k not in ("messages", "chat_template", "conversations", "tools", "documents")}
    for k in ("tools", "documents"):
        if k in r["chat_template_kwargs"]: r[k] = r["chat_template_kwargs"][k]
    marks = bool(re.search(r"\{\%-?\s*generation\s*-?\%\}", template)) and not kw.get("continue_final_message") and not kw.get("return_assistant_tokens_mask")
    signal.setitimer(signal.ITIMER_REAL, 3)
    try:
        if kw.get("continue_final_message") and kw.get("add_generation_prompt"): raise ValueError("both")
        out, gens = U.render_jinja_template([r["messages"]], tools=r.get("tools"), documents=r.get("documents"), chat_template=template, return_assistant_tokens_mask=marks, **kw)
        return {"text": out[0], "gens": gens[0] if marks else None}
    except Slow: return None
    except RecursionError: return None
    except Exception as e:
        line, tb = 0, e.__traceback__
        while tb:
            if tb.tb_frame.f_code.co_filename == "<template>": line = tb.tb_lineno
            tb = tb.tb_next
        if isinstance(e, jinja2.TemplateSyntaxError): line = e.lineno
        m = e.message if isinstance(e, jinja2.TemplateError) else e.args[0] if isinstance(e, KeyError) else e
        return {"error": type(e).__name__, "message": str(m), "line": line}
    finally: signal.setitimer(signal.ITIMER_REAL, 0)


def merge(v):
    out = []
    for b, e in v:
        if e <= b: continue
        if out and b <= out[-1][1]: out[-1][1] = max(e, out[-1][1])
        else: out.append([b, e])
    return out


def ours(template, rows):
    with tempfile.TemporaryDirectory() as d:
        with open(d + "/t.jinja", "w", newline="") as f: f.write(template)
        with open(d + "/in", "w") as f: f.write("".join(json.dumps({"row": i, **r}) + "\n" for i, r in enumerate(rows)))
        p = subprocess.run([tool, "-q", "-j", "1", "--from", "trl", "--nulls", "keep", "--template", d + "/t.jinja", "--date", "2025-03-05 07:08:09",
                            "--bad", d + "/bad", d + "/in"], capture_output=True)
    out = [None] * len(rows)
    for l in p.stdout.decode().split("\n"):
        if l: j = json.loads(l); out[j["row"]] = j
    err, last = p.stderr.decode("utf8", "replace"), None
    for m in re.finditer(r"^chat-template: \S*/in:(\d+): (.*(?:\n(?!chat-template: ).*)*)", err, re.M): out[int(m[1]) - 1] = {"error": m[2].strip("\n")}
    if p.returncode and not any(out): out = [{"error": err.strip()}] * len(rows)
    return out


def compare(want, got):
    if got is None: return "no answer"
    if want is None: return None
    if "text" in want:
        if "text" not in got: return "refused"
        if got["text"] != want["text"]: return "text"
        if want["gens"] is not None:
            byte = lambda i: len(want["text"][:i].encode())
            if merge([byte(b), byte(e)] for b, e in want["gens"]) != merge(got["learn"]): return "spans"
        return None
    if "error" not in got: return "accepted"
    shown = lambda s: re.sub(r"[\x00-\x1f\x7f-\x9f]", lambda c: {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(c[0], f"\\x{ord(c[0]):02x}"), s).strip()
    e = got["error"].strip()
    if want["error"] == "TemplateError":
        m = shown(f"template line {want['line']}: {want['message']}").encode()
        return None if m == e.encode() or (len(m) > 16000 and m[:16000] == e.encode()[:16000]) else "message"
    if want["error"] in ("TemplateSyntaxError", "TemplateAssertionError"): return None if f"line {want['line']}: {shown(want['message'])}" in e else "syntax"
    if want["line"] and not e.startswith(f"template line {want['line']}: "): return "line"
    m = re.sub(r"sequence item \d+: expected str instance", "sequence item: expected str instance", want["message"])
    return None if shown(m) in e or not want["line"] else "words"


FILTERS = ("upper trim tojson string length list e safe default('x') join join(',') first last sort reverse items map('upper') map(attribute='role') selectattr('role') selectattr('role','equalto','user') "
           "rejectattr('content','none') select reject('none') unique dictsort title capitalize replace('a','b') int float abs round indent indent(2,true) wordcount batch(2) slice(2) groupby('role') "
           "sum min max count tojson(indent=2) tojson(sort_keys=true) pprint urlencode striptags truncate(9) center(20) format(1) random xmlattr forceescape lower string|trim nope").split()
TESTS = "defined undefined none string mapping sequence iterable number integer float boolean true false callable odd even in(messages) lower upper sameas(none) nope".split()
METHODS = "strip() split() split('\\n') upper() lower() title() items() keys() values() get('role') get('x','y') startswith('a') endswith('\\n') replace('a','b') lstrip('\\n') rstrip() join(messages) format(1) isdigit() count('a') find('a') splitlines() capitalize() swapcase() partition(' ') zfill(5) pop() append(1) update({}) index('x') __class__ copy()".split()
EXPRESSION = re.compile(r"(\{[{%][-+]?)(.*?)([-+]?[}%]\})", re.S)
TOKEN = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[A-Za-z_]\w*|\d+|[-+*/%~<>=!|.:,\[\](){}]|\s+", re.S)


def change(body, words):
    t = TOKEN.findall(body)
    if not t or "".join(t) != body: return body
    i = rng.randrange(len(t))
    k = t[i]
    if k[0] in "'\"": t[i] = pick([pick(words["str"] or [k]), repr(text()), k + " ~ 'x'", k + "|" + pick(FILTERS), k + " 'y'"])
    elif k.isdigit(): t[i] = pick(["0", "1", "2", "-1", "10", "1.5", "none", "n"])
    elif k.isidentifier():
        t[i] = pick([pick(words["name"]), pick(words["name"]), k + "|" + pick(FILTERS), k + " is " + pick(["", "not "]) + pick(TESTS), k + "." + pick(METHODS), k + pick(["[0]", "[-1]", "[1:]", "[::-1]", "['role']", ".role", ".x.y", "[:2]"]),
                     {"and": "or", "or": "and", "if": "if not", "not": "", "is": "is not", "in": "not in", "else": "elif", "set": "set", "true": "false", "none": "true"}.get(k, "not " + k), "(" + k + " if " + pick(words["name"]) + " else 1)"])
    elif k.isspace(): t[i] = pick(["", " ", "\n", "\t", "\u00a0"])
    else: t[i] = pick(list("+-*/%~<>|.:,[](){}=") + ["==", "!=", "<=", ">=", "**", "//", " in ", " is ", " and ", ""])
    return "".join(t)


def mutate(t):
    tags = list(EXPRESSION.finditer(t))
    if not tags: return t
    words = {"str": re.findall(r"'[^'\n]{0,40}'", t), "name": re.findall(r"\b[a-z_]+\b", " ".join(m[2] for m in tags)) or ["x"]}
    for _ in range(pick([1, 1, 1, 2, 3])):
        tags = list(EXPRESSION.finditer(t))
        if not tags: break
        m = pick(tags)
        k = rng.randrange(12)
        if k < 7: new = m[1] + change(m[2], words) + m[3]
        elif k == 7: new = m[1][:2] + pick(["", "-", "+", "-"]) + m[2] + m[3]
        elif k == 8: new = m[1] + m[2] + pick(["", "-", "+", "-"]) + m[3][-2:]
        elif k == 9: new = ""
        elif k == 10: new = m[0] + pick([m[0], pick(tags)[0], "\n", " \n", "{# c #}", "{{ loop.index }}", "{{ " + pick(words["name"]) + " }}", "{% break %}", "{% continue %}", "{% set x = " + pick(words["name"]) + " %}{{ x }}"])
        else:
            lines = t.split("\n")
            i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
            lines[i], lines[j] = lines[j], lines[i]
            t = "\n".join(lines)
            continue
        t = t[:m.start()] + new + t[m.end():]
    return t


templates = {}
for place in places:
    for f in sorted(glob.glob(place + "/**/*.jinja", recursive=True)) if os.path.isdir(place) else [place]:
        t = open(f, newline="").read()
        if t: templates[os.path.basename(f)] = t
env = jinja2.Environment(extensions=["jinja2.ext.loopcontrols"])
names, broken = {}, {}
for n, t in list(templates.items()):
    if "messages" not in t and "message" not in t: templates.pop(n); continue
    try: ast = U._compile_jinja_template(t).environment.parse(t)
    except jinja2.TemplateError as e:
        broken[n] = e
        continue
    names[n] = sorted(x for x in jinja2.meta.find_undeclared_variables(ast) if x not in ("messages", "raise_exception", "strftime_now", "namespace", "range", "dict", "add_generation_prompt", "tools", "documents", "lipsum", "cycler", "joiner", "loop", "message", "continue_final_message", "conversations", "chat_template"))
order = sorted(names)
rng.shuffle(order)
kinds, shown, bad, total = collections.Counter(), collections.Counter(), collections.Counter(), 0
for n in broken:
    g = ours(templates[n], [row([])])[0]
    if not g or "error" not in g: bad["compiled"] += 1; print(f"--- compiled: {n}: {broken[n]}")
    elif os.environ.get("VERBOSE"): print(f"{n}: {broken[n].lineno} {broken[n]} / {g['error'].splitlines()[0]}")
end, at = time.time() + float(seconds), 0
while time.time() < end or at == 0:
    for n in order[at % len(order):at % len(order) + 1]:
        template = mutate(templates[n]) if mutating else templates[n]
        rows = [row(names[n]) for _ in range(20)] # so many failures a run are shown
        got = ours(template, rows)
        for r, g in zip(rows, got):
            w = reference(template, r)
            total += 1
            k = compare(w, g)
            kinds["no answer from Python" if w is None else "text" if "text" in w else "error " + w["error"]] += 1
            if k and w and re.search(r" at 0x[0-9a-f]+", json.dumps(w)): k = None; kinds["address"] += 1
            if not k: continue
            bad[k] += 1
            if shown[n, k] < 2 and shown[k] < 40:
                shown[n, k] += 1; shown[k] += 1
                if mutating and shown[n, k] == 1: print("".join(l + "\n" for l in difflib.unified_diff(templates[n].split("\n"), template.split("\n"), lineterm="", n=0) if len(l) < 1000))
                if g and "text" in g and "text" in w:
                    i = next((i for i, (a, b) in enumerate(zip(g["text"], w["text"])) if a != b), min(len(g["text"]), len(w["text"])))
                    print(f"--- {k}: {n}\n  row  {json.dumps(r)}\n  want {w['text'][max(0, i - 30):i + 60]!r} {w['gens']}\n  got  {g['text'][max(0, i - 30):i + 60]!r} {g.get('learn')}")
                else: print(f"--- {k}: {n}\n  row  {json.dumps(r)}\n  want {str(w)[:400]}\n  got  {str({k: v for k, v in (g or {}).items() if k in ('text', 'error')})[:400]}")
                sys.stdout.flush()
    at += 1
print(f"transformers {transformers.__version__}, seed {seed}: {len(broken)} broken templates, {len(names)} others ({min(at, len(names))} tried), {total} rows; differ: {dict(bad)}")
for k, v in kinds.most_common(): print(f"  {v:7} {k}")
sys.exit(bool(bad))

"""Two comparisons, over chats of many kinds:

  blocks  {% generation %} blocks through chat-template against upstream's spans of the same template: must be equal.
  turns   what chat-template finds without the blocks (--learn-from=turns) against the blocks of the same template, and on
          the plain templates that TRL patches against the blocks of its patched one (where both print the same text).

Turns run from the end of the generation prompt to the stop token; with --edges=wide, used here, also over the white space and
the end of the text behind it and a <think> that ends the prompt, as TRL draws its blocks. Where authors draw them otherwise the
difference is classed, and the template must be named below with the reason. A template that is not named must be equal.
"""
import collections, glob, json, os, re, subprocess, sys, tempfile
import trl
from transformers.utils.chat_template_utils import render_jinja_template

tool, data = sys.argv[1:3]
verbose = os.environ.get("VERBOSE")
fn = lambda n, **k: {"type": "function", "function": {"name": n, "arguments": k}}
tools = [{"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object", "properties": {"x": {"type": "string", "description": "e"}}, "required": ["x"]}}}]
U, A, S = (lambda r: lambda c, **k: {"role": r, "content": c, **k})("user"), (lambda c, **k: {"role": "assistant", "content": c, **k}), (lambda c: {"role": "system", "content": c})
chats = {
    "one": [U("alpha?"), A("beta.")],
    "system": [S("be kind"), U("alpha?"), A("beta.")],
    "four": [U("alpha?"), A("beta."), U("감마?"), A("델타 ✓")],
    "five": [S("be kind"), U("alpha?"), A("beta."), U("gamma?"), A("delta.")],
    "ends with a question": [U("alpha?"), A("beta."), U("gamma?")],
    "lines": [U("alpha?\n\nzeta"), A("beta.\n\n- one\n- two\n")],
    "spaces": [U("  alpha? "), A("  beta.  ")],
    "thoughts": [U("alpha?"), A("beta.", reasoning_content="omega"), U("gamma?"), A("delta.", reasoning_content="psi")],
    "inline thoughts": [U("alpha?"), A("<think>\nomega\n</think>\n\nbeta.")],
    "call": [U("alpha?"), A("", tool_calls=[fn("f", x="y")]), {"role": "tool", "name": "f", "content": "result"}, A("beta.")],
    "call and text": [U("alpha?"), A("let me see", tool_calls=[fn("f", x="y")]), {"role": "tool", "name": "f", "content": "result"}, A("beta."), U("gamma?"), A("delta.")],
    "two calls": [U("alpha?"), A("", tool_calls=[fn("f", x="y"), fn("f", x="z")]), {"role": "tool", "name": "f", "content": "r1"}, {"role": "tool", "name": "f", "content": "r2"}, A("beta.")],
}
special = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}


# class: template -> why
known = {
    "frame": {  # the block begins elsewhere than at the end of the generation prompt
        "deepseek_r1_distill": "the block holds the header that prompts the answer", "deepseekv3": "the same", "gptoss": "the same",
        "muse_glimmer": "the same", "llamacpp--poolside-Laguna-S-2.1": "the same", "llamacpp--poolside-Laguna-XS.2": "the same",
        "ollama--laguna_v8_chat_template": "the same",
        "alignment--smollm3-sft-sft": "the same",
        "swiftjinja--string~d81783": "the same",
        "transformers-tests--test_tokenization_common.test_chat_template_return_assistant_tokens_mask.dummy_template":
            "its generation prompt is not what stands before an answer",
    },
    "newline": {
        "qwen2_5": "the block begins at the newline that ends the generation prompt", "trl--qwen2_5_training": "the same",
        "glm4moe": "the stop token opens the next message, and the newline behind it is that message's",
    },
    "stop": {"glm4moe": "see above"},
    "other": {"diffusion_gemma": "a function's result stands within the answer, and text of the answer behind it",
              "trl--diffusion_gemma_training": "the same"},
}
unknown = collections.Counter()


def judge(kind, name, k):
    if k != "equal" and name.split("/")[-1] not in known.get(k, {}): unknown[f"{kind} {name}: {k}"] += 1


def upstream(template, chat, kw):
    try: text, spans = render_jinja_template([json.loads(json.dumps(chat))], tools=kw.get("tools"), chat_template=template, return_assistant_tokens_mask=True, **special)
    except Exception: return None
    byte = lambda i: len(text[0][:i].encode())
    return text[0], [[byte(b), byte(e)] for b, e in spans[0] if e > b]


def ours(template, how):
    rows = [{"row": n, "messages": c, **({"tools": tools} if "call" in n else {}), "chat_template_kwargs": special} for n, c in chats.items()]
    with tempfile.NamedTemporaryFile("w", suffix=".jinja") as f:
        f.write(template); f.flush()
        p = subprocess.run([tool, "-q", "--template", f.name, "--bad", os.devnull, *how], input="".join(json.dumps(r) + "\n" for r in rows), capture_output=True, text=True)
    if p.returncode: sys.exit(p.stderr)
    return {r["row"]: r for r in map(json.loads, p.stdout.splitlines())}


def merge(v):
    out = []
    for b, e in v:
        if out and b <= out[-1][1]: out[-1][1] = max(e, out[-1][1])
        else: out.append([b, e])
    return out


def classify(text, want, got):
    if want == got: return "equal"
    t = text.encode()
    strip = lambda v: merge([[b + len(t[b:e]) - len(t[b:e].lstrip()), b + len(t[b:e].rstrip())] for b, e in v if t[b:e].strip()])
    if strip(want) == strip(got): return "newline"
    stop = re.compile(rb"\s*(<[^<>\s]*>|\[[A-Z_/]*\])\s*$")
    cut = lambda v: [[b, b + len(stop.sub(b"", t[b:e]))] for b, e in v]
    if len(want) == len(got):
        if [b for b, _ in strip(want)] == [b for b, _ in strip(got)] and all(abs(x[1] - y[1]) < 40 and (strip([x])[0][1] == strip(cut([y]))[0][1] or strip([y])[0][1] == strip(cut([x]))[0][1]) for x, y in zip(want, got)): return "stop"
        if all(strip([x])[0][1] == strip([y])[0][1] and abs(x[0] - y[0]) < 60 for x, y in zip(want, got)): return "frame"
    return "other"


def show(name, chat, text, want, got):
    t = text.encode()
    def line(v):
        out, at = b"", 0
        for b, e in v: out += t[at:b] + "⟦".encode() + t[b:e] + "⟧".encode(); at = e
        return (out + t[at:]).decode()
    print(f"--- {name} / {chat}\nblocks {line(want)!r}\nturns  {line(got)!r}")


templates = {}
for f in sorted(glob.glob(data + "/templates/*.jinja")): templates[os.path.basename(f)[:-6]] = open(f, newline="").read()
shipped = os.path.join(os.path.dirname(trl.__file__), "chat_templates")
patched = {os.path.basename(f)[:-15]: open(f).read() for f in sorted(glob.glob(shipped + "/*_training.jinja"))}
plain = {n: open(f"{shipped}/{n}.jinja").read() for n in patched}
templates.update({"trl/" + n: t for n, t in patched.items()})
blocks, turns, patches = collections.Counter(), collections.Counter(), collections.Counter()
named = collections.defaultdict(set)
for name, template in templates.items():
    if not re.search(r"\{%-?\s*generation", template): continue
    a, b = ours(template, []), ours(template, ["--learn-from=turns", "--edges=wide"])
    for chat, c in chats.items():
        u = upstream(template, c, {"tools": tools} if "call" in chat else {})
        if u is None or chat not in a: blocks["equal" if (u is None) == (chat not in a) else "other"] += 1; continue
        if not u[1]: continue
        k = "equal" if a[chat]["text"] == u[0] and merge(a[chat]["learn"]) == merge(u[1]) else "other"
        blocks[k] += 1
        if k != "equal": show("BLOCKS " + name, chat, u[0], u[1], a[chat]["learn"])
        k = classify(u[0], merge(u[1]), merge(b[chat]["learn"]))
        turns[k] += 1
        judge("turns", name, k)
        if k != "equal": named[k].add(name)
        if verbose and k != "equal" and k in verbose: show("TURNS " + name, chat, u[0], merge(u[1]), merge(b[chat]["learn"]))
for name, template in plain.items():
    b = ours(template, ["--edges=wide"])
    for chat, c in chats.items():
        u = upstream(patched[name], c, {"tools": tools} if "call" in chat else {})
        if u is None or chat not in b: continue
        if b[chat]["text"] != u[0]: patches["other text"] += 1; continue
        k = classify(u[0], merge(u[1]), merge(b[chat]["learn"]))
        patches[k] += 1
        judge("plain", name, k)
        if k != "equal": named[k].add("plain " + name)
        if verbose and k != "equal" and k in verbose: show("PLAIN " + name, chat, u[0], merge(u[1]), merge(b[chat]["learn"]))
print("blocks", dict(blocks)); print("turns ", dict(turns)); print("plain ", dict(patches))
for k, v in named.items(): print(k + ":", ", ".join(sorted(v)))
for k, v in unknown.items(): print("NOT EXPLAINED", k, v)
sys.exit(blocks["other"] > 0 or bool(unknown))

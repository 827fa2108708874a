"""Four comparisons, over chats of many kinds:

  blocks  {% generation %} blocks through chat-template against upstream's spans of the same template: must be equal.
  turns   what chat-template finds by provenance, without the blocks (--learn-from=turns), against the blocks.
  plain   the same on the plain templates that TRL patches, against the blocks of the patched one, where both print the
          same text.
  tokens  the labels of plain templates, through tokenize and mask-completion, against the masks that the patched ones give
          with the same tokenizer.

A template whose turns differ must be named below with the reason. VERBOSE=1 shows every difference.
"""
import collections, glob, json, os, re, subprocess, sys, tempfile
import trl
from transformers.utils.chat_template_utils import render_jinja_template

tools_at, test_data = sys.argv[1:3]
tool, data = tools_at + "/chat-template", test_data + "/templates"
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
own_tools = {}
special = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}


# the same with contents in parts, for templates of models that see
for n, c in list(chats.items()): chats[n + " in parts"] = [{**m, "content": [{"type": "text", "text": m["content"]}]} for m in c]
# the conversations of the oracle, where there are any
for n, c in (json.load(open(data + "/conversations.json")) if os.path.exists(data + "/conversations.json") else {}).items():
    if any(m.get("role") == "assistant" for m in c["messages"]): chats["oracle: " + n] = c["messages"]; own_tools["oracle: " + n] = c.get("tools")

# Turns that differ from the blocks: template -> why, and in which chats ("" in all).
dummy = "transformers-tests--test_"
known = {
    dummy + "tokenization_common.test_chat_template_return_assistant_tokens_mask.dummy_template":
        ("", "its generation prompt is not what stands before an answer"),
    dummy + "processing_common.test_apply_chat_template_assistant_mask.dummy_template":
        ("", "it has no generation prompt, and the header before an answer is no part of the block"),
    dummy + "processing_granite4_vision.Granite4VisionProcessorTest.prepare_processor_dict":
        ("", "its prompt ends without the space that stands before an answer, and nothing stops it"),
    dummy + "processing_llava_next_video.LlavaNextVideoProcessorTest.prepare_processor_dict":
        ("", "its prompt ends without the white space that stands before an answer; the stop token is not in the block"),
    "deepseekv3": ("oracle: tool_agentic", "a second round of calls opens with the very text that stands between two results"),
    "glm4moe": ("oracle: sys_in_middle", "<|system|> ends a turn in the place of <|user|>"),
}
unknown = collections.Counter()


def tools_of(chat): return own_tools[chat] if chat in own_tools else tools if "call" in chat else None


def upstream(template, chat, kw):
    try: text, spans = render_jinja_template([json.loads(json.dumps(chat))], tools=kw.get("tools"), chat_template=template, return_assistant_tokens_mask=True, **special)
    except Exception: return None
    byte = lambda i: len(text[0][:i].encode())
    return text[0], [[byte(b), byte(e)] for b, e in spans[0] if e > b]


def ours(template, how):
    rows = [{"row": n, "messages": c, **({"tools": tools_of(n)} if tools_of(n) else {}), "chat_template_kwargs": special} for n, c in chats.items()]
    with tempfile.NamedTemporaryFile("w", suffix=".jinja") as f:
        f.write(template); f.flush()
        p = subprocess.run([tool, "-q", "--template", f.name, "--bad", os.devnull, *how], input="".join(json.dumps(r) + "\n" for r in rows), capture_output=True, text=True)
    if p.returncode: sys.exit(p.stderr)
    return {r["row"]: r for r in map(json.loads, p.stdout.rstrip("\n").split("\n") if p.stdout else [])}


def merge(v):
    out = []
    for b, e in v:
        if out and b <= out[-1][1]: out[-1][1] = max(e, out[-1][1])
        else: out.append([b, e])
    return out


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
# what of the text the turns of one template and chat are: equal, or the names of what differs
def judge(counts, kind, name, chat, text, want, got):
    same = merge(want) == merge(got)
    base = name.split("/")[-1]
    k = "equal" if same else "explained" if kind == "turns" and base in known and known[base][0] in chat else "NOT EXPLAINED"
    counts[k] += 1
    if k == "NOT EXPLAINED": unknown[f"{kind} {name}"] += 1
    if not same and (verbose or k == "NOT EXPLAINED" and unknown[f"{kind} {name}"] <= 3): show(f"{kind} {name}", chat, text, merge(want), merge(got))


for name, template in templates.items():
    if not re.search(r"\{%-?\s*generation", template): continue
    a, b = ours(template, []), ours(template, ["--learn-from=turns"])
    for chat, c in chats.items():
        u = upstream(template, c, {"tools": tools_of(chat)})
        if u is None or chat not in a:
            if (u is None) != (chat not in a): unknown[f"blocks {name}: only one of the two fails"] += 1
            continue
        if a[chat]["text"] != u[0]: unknown[f"blocks {name}: another text"] += 1; continue
        judge(blocks, "blocks", name, chat, u[0], u[1], a[chat]["learn"])
        judge(turns, "turns", name, chat, u[0], u[1], b[chat]["learn"])
for name, template in plain.items():
    b = ours(template, [])
    for chat, c in chats.items():
        u = upstream(patched[name], c, {"tools": tools_of(chat)})
        if u is None or chat not in b: continue
        if b[chat]["text"] != u[0]: patches["other text"] += 1; continue
        judge(patches, "plain", name, chat, u[0], u[1], b[chat]["learn"])
from transformers import PreTrainedTokenizerFast
tokens = collections.Counter()
for model, end in ("qwen3-rebuilt", "<|endoftext|>"), ("phi-3-mini", "<|endoftext|>"), ("mistral-7b-v0.3", "</s>"):
    at = f"{test_data}/tokenizers/{model}"
    if not os.path.exists(at): continue
    tok = PreTrainedTokenizerFast(tokenizer_file=at + "/tokenizer.json", bos_token=end, eos_token=end)
    for name in ("qwen3", "qwen2_5", "qwen3_instruct_2507", "gemma", "llama3", "phi3", "deepseek_r1_distill", "lfm2", "gptoss"):
        rows = [{"row": n, "messages": c, **({"tools": tools_of(n)} if tools_of(n) else {}), "chat_template_kwargs": {"bos_token": end, "eos_token": end}} for n, c in chats.items()]
        p = subprocess.run(f"{tools_at}/chat-template -q --keep --bad /dev/null --template {shipped}/{name}.jinja | {tools_at}/tokenize -q -m {at} | {tools_at}/mask-completion -q --allow-unlearnt",
                           shell=True, input="".join(json.dumps(r) + "\n" for r in rows), capture_output=True, text=True)
        if p.returncode: sys.exit(p.stderr)
        for r in map(json.loads, p.stdout.rstrip("\n").split("\n")):
            call = dict(conversation=json.loads(json.dumps(r["messages"])), tools=tools_of(r["row"]), chat_template=patched[name])
            try: text = tok.apply_chat_template(**call, tokenize=False); u = tok.apply_chat_template(**call, return_dict=True, return_assistant_tokens_mask=True)
            except Exception: continue
            if text != r["text"]: tokens["other text"] += 1; continue
            same = u["input_ids"] == r["input_ids"] and list(u["assistant_masks"]) == [int(x != -100) for x in r["labels"]]
            tokens["equal" if same else "NOT EXPLAINED"] += 1
            if not same: unknown[f"tokens {model} {name} {r['row']}"] += 1
print("blocks", dict(blocks)); print("turns ", dict(turns)); print("plain ", dict(patches)); print("tokens", dict(tokens))
for k, v in known.items(): print("explained:", k, v[0] + ":", v[1])
for k, v in unknown.items(): print("NOT EXPLAINED", k, v)
sys.exit(bool(unknown))

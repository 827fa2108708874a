#!/usr/bin/env python3
"""Odd model folders: which template AutoTokenizer takes and which special tokens it hands over, and what chat-template does with the same folder.

Usage: chat_model.py TOOL SECONDS SEED"""
import collections, json, logging, os, random, subprocess, sys, tempfile, time, warnings

os.environ.setdefault("HF_HUB_OFFLINE", "1")
warnings.simplefilter("ignore")
import transformers

logging.disable(logging.ERROR)
transformers.logging.set_verbosity_error()
tool, seconds, seed = sys.argv[1:]
rng = random.Random(int(seed))
pick, chance = rng.choice, lambda p: rng.random() < p

NAMES = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"]
OTHER = ["image_token", "audio_token", "boi_token", "eot_token", "think_end_token", "video_token", "tok"]
WORDS = ["<s>", "</s>", "<unk>", "<pad>", "<image>", "<|eot|>", "hello", "<x>", "<y>"]
CLASSES = ["PreTrainedTokenizerFast", "PreTrainedTokenizerFast", "TokenizersBackend", None, "LlamaTokenizerFast", "LlamaTokenizer", "GemmaTokenizerFast", "GemmaTokenizer", "Qwen2TokenizerFast", "Qwen2Tokenizer",
           "CohereTokenizerFast", "GPT2TokenizerFast", "GPT2Tokenizer", "GPTNeoXTokenizerFast", "CodeLlamaTokenizerFast", "Qwen3_5Tokenizer", "NoSuchTokenizer"]
TYPES = ["llama", "gemma", "gemma2", "gemma3", "gemma3_text", "qwen2", "qwen3", "qwen2_moe", "cohere", "cohere2", "gpt2", "gpt_neox", "phi3", "phi", "mistral", "mixtral", "granite", "olmo", "olmo2", "olmo3", "falcon", "smollm3", "deepseek_v3", "gpt_oss", "exaone4", "nosuch",
         "qwen3_5", "qwen3_moe", "glm4", "glm", "stablelm", "starcoder2", "bloom", "opt", "mpt", "internlm3", "jamba", "mamba", "hunyuan_v1_dense", "ernie4_5", "seed_oss", "lfm2", "nemotron", "qwen2_vl", "qwen2_5_vl", "llava", "idefics3", "pixtral", "llama4", "codellama"]


def added(text): return {"content": text, "lstrip": False, "normalized": chance(.5), "rstrip": False, "single_word": False, **({"special": True} if chance(.5) else {}), **({"__type": "AddedToken"} if chance(.7) else {})}


def token(): return pick([pick(WORDS), pick(WORDS), added(pick(WORDS)), None])


def body(tag): return "{# " + tag + " #}" + tag + "".join("|{{ " + n + " if " + n + " is defined else '-' }}" for n in NAMES + OTHER) + "|{{ messages[0].content }}\n"


def folder(d):
    model = {"type": pick(["BPE"]), "vocab": {w: i for i, w in enumerate(WORDS)}, "merges": [], "unk_token": pick([None, "<unk>"])}
    tokenizer = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [{"id": i, "content": w, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True} for i, w in enumerate(WORDS[:6])],
                 "normalizer": None, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}, "post_processor": None, "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}, "model": model}
    config = {}
    c = pick(CLASSES)
    if c: config["tokenizer_class"] = c
    for n in NAMES + OTHER:
        if chance(.3): config[n] = token()
    if chance(.15): config["extra_special_tokens"] = pick([{"image_token": "<image>", "tok": "<x>"}, {"eot_token": added("<|eot|>")}, ["<x>", "<y>"], []])
    if chance(.15): config["additional_special_tokens"] = ["<x>", "<y>"]
    if chance(.5): config["added_tokens_decoder"] = {str(i): {k: v for k, v in added(w).items() if k != "__type"} for i, w in enumerate(WORDS[:6])}
    k = rng.randrange(6)
    if k < 3: config["chat_template"] = body("config")
    elif k == 3: config["chat_template"] = [{"name": n, "template": body("config " + n)} for n in rng.sample(["default", "tool_use", "rag", "x y"], rng.randint(1, 3))]
    elif k == 4: config["chat_template"] = {n: body("config " + n) for n in rng.sample(["default", "tool_use", "rag"], rng.randint(1, 3))}
    if chance(.3): open(d + "/chat_template.jinja", "w", newline="").write(body("file").replace("\n", pick(["\n", "\r\n", "\n\n"])))
    if chance(.2):
        os.mkdir(d + "/additional_chat_templates")
        for n in rng.sample(["default", "tool_use", "rag"], rng.randint(0, 2)): open(f"{d}/additional_chat_templates/{n}.jinja", "w").write(body("more " + n))
    if chance(.3):
        m = {n: token() for n in NAMES + OTHER if chance(.4)}
        m = {k: v for k, v in m.items() if v is not None}
        for v in m.values():
            if isinstance(v, dict): v.pop("__type", None)
        if chance(.2): m["additional_special_tokens"] = ["<x>"]
        if chance(.1): m["extra_special_tokens"] = {"image_token": "<y>"}
        json.dump(m, open(d + "/special_tokens_map.json", "w"))
    if chance(.5): json.dump({"model_type": pick(TYPES)}, open(d + "/config.json", "w"))
    json.dump(tokenizer, open(d + "/tokenizer.json", "w"))
    json.dump(config, open(d + "/tokenizer_config.json", "w"))


count, bad, shown, end = collections.Counter(), 0, collections.Counter(), time.time() + float(seconds)
while time.time() < end:
    with tempfile.TemporaryDirectory() as d:
        folder(d)
        try: t = transformers.AutoTokenizer.from_pretrained(d)
        except Exception as e:
            count["not loaded: " + type(e).__name__] += 1
            continue
        for i in range(3):
            tools = [{"type": "function", "function": {"name": "f"}}] if chance(.4) else None
            name = pick([None, None, "rag", "tool_use", "default"])
            if name and not (isinstance(t.chat_template, dict) and name in t.chat_template): name = None
            try: want = t.apply_chat_template([{"role": "user", "content": "hi", "name": None}], tools=tools, chat_template=name, tokenize=False)
            except Exception as e: want = None; why = e
            r = {"messages": [{"role": "user", "content": "hi", "name": None}]}
            if tools is not None: r["tools"] = tools
            p = subprocess.run([tool, "-q", "-m", d, *(["--template", name] if name else [])], input=json.dumps(r), capture_output=True, text=True)
            got = json.loads(p.stdout)["text"] if p.stdout else None
            count["text" if want is not None else "error"] += 1
            if got == want: continue
            bad += 1
            config = json.load(open(d + "/tokenizer_config.json"))
            key = (config.get("tokenizer_class"), want is None, got is None)
            shown[key] += 1
            if shown[key] < 3:
                print("---", name, tools is not None, sorted(os.listdir(d)), type(t).__name__, open(d + "/config.json").read() if os.path.exists(d + "/config.json") else "")
                print("  config", json.dumps({k: v["content"] if isinstance(v, dict) and "content" in v else v if k != "chat_template" else str(v)[:40] for k, v in config.items() if k != "added_tokens_decoder"}), "added_tokens_decoder" in config)
                if os.path.exists(d + "/special_tokens_map.json"): print("  map", open(d + "/special_tokens_map.json").read())
                print("  names ", "|".join(NAMES + OTHER)); print("  want", repr(want) if want is not None else repr(why)[:200]); print("  got ", repr(got), p.stderr.strip()[:200])
print(f"transformers {transformers.__version__}, seed {seed}: {sum(count.values())} renders, {bad} differ: {dict(count)}")
sys.exit(bad > 0)

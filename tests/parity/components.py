#!/usr/bin/env python3
"""Every component of a tokenizer.json with every value of its arguments, against the installed Hugging Face `tokenizers`: models, normalizers,
pre-tokenizers, added tokens, post-processors and decoders on a fixed list of awkward texts. Ids with and without places, places, ids with
special tokens, type ids, decodings, and that we fail where the library fails. What is put together at random is tokenizer.py's.

Usage: components.py    The status is 1 if anything differed."""
import itertools, json, os, random, subprocess, sys, tempfile
from tokenizers import Tokenizer

env = {**os.environ, "TUNEUTILS_CACHE": "off"}

def ours(j, rows, *opts, tool="tokenize", key="text"):
    with tempfile.TemporaryDirectory() as d:
        json.dump(j, open(d + "/tokenizer.json", "w"))
        p = subprocess.run([tool, "-q", "-m", d, "--bad", d + "/bad", *(["--append-eos=no"] if tool == "tokenize" else []), *opts], env=env, capture_output=True,
                           input="".join(json.dumps({"n": i, key: t}, ensure_ascii=False) + "\n" for i, t in enumerate(rows)).encode())
        if p.returncode: return None, p.stderr.decode(errors="replace")
        return {x["n"]: x for x in map(json.loads, p.stdout.splitlines())}, None

def safely(f):
    try: return f()
    except BaseException as e:  # a panic is no Exception
        if isinstance(e, KeyboardInterrupt): raise
        return None

def tj(model, normalizer=None, pre=None, post=None, decoder=None, added=()):
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": list(added), "normalizer": normalizer, "pre_tokenizer": pre, "post_processor": post,
            "decoder": decoder, "model": model}

count = {"tokenizers": 0, "texts": 0, "decodings": 0, "the library fails": 0, "differences": 0}

def differs(*what):
    count["differences"] += 1
    if count["differences"] <= 12: print("DIFFERENT", *(f"{x!s:.300}" for x in what), sep="\n   ")

def check(name, j, texts):
    count["tokenizers"] += 1
    t = safely(lambda: Tokenizer.from_str(json.dumps(j)))
    a, why = ours(j, texts, "--add-special-tokens=no", "--offsets=char")
    if t is None or a is None:
        if (t is None) != (a is None): differs("load", name, "the library loads it" if t else "the library does not", why)
        return
    b, _ = ours(j, texts, "--add-special-tokens=yes", "--type-ids")
    c, _ = ours(j, texts, "--add-special-tokens=no")
    for i, x in enumerate(texts):
        e, s = safely(lambda: t.encode(x, add_special_tokens=False)), safely(lambda: t.encode(x))
        count["texts"] += 1
        if e is None:
            count["the library fails"] += 1
            if i in a: differs(name, repr(x), "the library fails", a[i])
            continue
        g, h, q = (y.get(i, {}) for y in (a, b, c))
        if (e.ids, [list(o) for o in e.offsets]) != (g.get("input_ids"), g.get("offsets")): differs(name, repr(x), (e.ids, e.offsets), g)
        if e.ids != q.get("input_ids"): differs(name, repr(x), "without places", e.ids, q)
        if s is not None and (s.ids, s.type_ids) != (h.get("input_ids"), h.get("token_type_ids")): differs(name, repr(x), "special", (s.ids, s.type_ids), h)

random.seed(7)
TX = ["", "  ", " \t\n", "<s>", "<s></s>", "<s> <s>", "a<s>b", "\u0301", "a\u0301\u0323", "\u0323\u0301x", "\x00", "a\x00b", "\ufffd", "\ufdd0\uffff", "\u1112\u1161\u11ab", "가각\u11a8", "👨‍👩‍👧‍👦 👍🏽", "ΑΣ ΑΣΑ ς", "İstanbul ıI", "x"*130, "aé日🙂"*30, "Hello, World! it's 12'3", "don't  stop\n\n now", "naïve Straße ﬁ ½ Å K", "日本語カタカナ", "a_b-c.d", "  lead", "trail  ", "ab ab\tab", "\u00a0\u3000x\u200b", "12 345 ٣ ½", "##ing <0x41> ▁x Ġy", "A", "ABC abc", "<mask>  y", "é\u0300 ñ"]
letters = "".join(dict.fromkeys("".join(TX)))
chars = [c for c in letters if random.random() < .8]
base = list(dict.fromkeys(["<unk>", "<s>", "</s>", "<mask>"]+chars+["ab", "He", "ll", "lo", "##b", "##ing", "##a", "##o", "st", "日本", "é日", "▁a", "▁x", "▁H", "a</w>", "b</w>", "x</w>", "##b</w>", "xx", "xxxx", "日</w>", "##日"]))
V = {t: i for i, t in enumerate(base)}
def merges(vv): return [[a, b] for a, b in (("a", "b"), ("l", "l"), ("l", "o"), ("H", "e"), ("x", "x"), ("xx", "xx"), ("s", "t"), ("日", "本"), ("é", "日"), ("▁", "a"), ("▁", "x"), ("▁", "H")) if a in vv and b in vv and a+b in vv]
bytes_ = {f"<0x{b:02X}>": len(V)+b for b in range(256) if b != 0xf0}
def tok(i, c, norm, sp=False, sw=False, l=False, r=False): return dict(id=i, content=c, single_word=sw, lstrip=l, rstrip=r, normalized=norm, special=sp)
def go(name, *a, **k):
    check(name, tj(*a, **k), TX)
meta = lambda s, sp = True, r = "▁":{"type": "Metaspace", "replacement": r, "prepend_scheme": s, "split": sp}
# BPE options
for bf, fu, unk, ig in itertools.product((0, 1), (0, 1), (None, "<unk>", "nope"), (0, 1)):
    for pfx, sfx in ((None, None), ("##", None), (None, "</w>"), ("##", "</w>"), ("é", None), ("", "")):
        vv = {**V, **(bytes_ if bf else {})}
        mm = merges(vv)
        if pfx == "##": mm = [["a", "##b"]] if "##b" in vv and "ab" in vv else []
        if sfx and not pfx: mm = [m for m in mm]+[["x", "x</w>"]] if "xx</w>" in vv else mm
        go(f"BPE bf{bf} fu{fu} {unk} ig{ig} {pfx} {sfx}", {"type": "BPE", "unk_token": unk, "byte_fallback": bool(bf), "fuse_unk": bool(fu), "ignore_merges": bool(ig), "continuing_subword_prefix": pfx, "end_of_word_suffix": sfx, "merges": mm, "vocab": vv}, None, random.choice([None, {"type": "Whitespace"}, meta("first"), {"type": "BertPreTokenizer"}]))
# WordPiece / WordLevel / Unigram
for mx, pfx, unk in itertools.product((0, 1, 2, 100, 130, 131), ("##", "", "é"), ("<unk>", "nope")):
    go(f"WP {mx} {pfx} {unk}", {"type": "WordPiece", "unk_token": unk, "continuing_subword_prefix": pfx, "max_input_chars_per_word": mx, "vocab": V}, None, random.choice([{"type": "BertPreTokenizer"}, {"type": "WhitespaceSplit"}, None]))
for unk in ("<unk>", "nope"): go(f"WL {unk}", {"type": "WordLevel", "unk_token": unk, "vocab": V}, None, {"type": "Whitespace"})
for unk, bf in itertools.product((None, 0, 3), (False, True, None)):
    for pt in (None, meta("always"), meta("first"), meta("never"), {"type": "WhitespaceSplit"}):
        go(f"Uni {unk} {bf} {pt and pt['type']}", {"type": "Unigram", "unk_id": unk, **({} if bf is None else {"byte_fallback": bf}), "vocab": [[t, -1.0-len(t)%3*.7] for t in V]+([[b, -9.0] for b in bytes_] if bf else [])}, None, pt)
sp = {"type": "BPE", "unk_token": "<unk>", "byte_fallback": True, "fuse_unk": True, "merges": merges(V), "vocab": {**V, **bytes_}}
wl = {"type": "WordLevel", "unk_token": "<unk>", "vocab": V}
BH = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]
for pt in [meta(s, p, r) for s in("always", "first", "never") for p in(True, False) for r in("▁", " ", "é")]+[{"type": "Split", "pattern": q, "behavior": b, "invert": i} for q in({"String": " "}, {"String": ""}, {"Regex": ""}, {"Regex": "\\s+"}, {"Regex": "a|b"}, {"String": "日"}, {"Regex": "$"}, {"Regex": "(?=a)"}) for b in BH for i in(False, True)]+[{"type": "Punctuation", "behavior": b} for b in BH]+[{"type": "Digits", "individual_digits": f} for f in(True, False)]+[{"type": "CharDelimiterSplit", "delimiter": c} for c in"a 日"]+[{"type": "ByteLevel", "add_prefix_space": a, "trim_offsets": t, "use_regex": u} for a in(True, False) for t in(True, False) for u in(True, False)]+[{"type": "FixedLength", "length": k} for k in(1, 2, 3, 500)]+[{"type": k} for k in("Whitespace", "WhitespaceSplit", "BertPreTokenizer", "UnicodeScripts")]:
    go("PT "+json.dumps(pt)[:120], sp, None, pt)
    go("PT2 "+json.dumps(pt)[:120], sp, {"type": "NFKD"}, {"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": True}, pt, {"type": "Sequence", "pretokenizers": []}]}, added=[tok(1, "<s>", False, True), tok(3, "<mask>", True, True, l=True)])
for nm in [{"type": k} for k in("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt", "ByteLevel")]+[{"type": "Strip", "strip_left": a, "strip_right": b} for a in(True, False) for b in(True, False)]+[{"type": "BertNormalizer", "clean_text": a, "handle_chinese_chars": b, "strip_accents": c, "lowercase": d} for a in(True, False) for b in(True, False) for c in(True, False, None) for d in(True, False)]+[{"type": "Prepend", "prepend": p} for p in("", "▁", "ab")]+[{"type": "Replace", "pattern": q, "content": c} for q in({"String": "a"}, {"String": ""}, {"Regex": "\\s*"}, {"Regex": "$"}, {"Regex": "[ab]+"}, {"String": "ab"}) for c in("", "x", "日本")]+[{"type": "Sequence", "normalizers": []}]:
    go("N "+json.dumps(nm)[:120], sp, nm, random.choice([None, meta("first"), {"type": "Whitespace"}]), added=[tok(1, "<s>", random.random() < .5, True), tok(3, "<mask>", True, True, l=True, r=True)])
# added tokens
for sw, l, r, n, s in itertools.product((0, 1), repeat=5):
    go(f"A {sw}{l}{r}{n}{s}", wl, random.choice([None, {"type": "Lowercase"}, {"type": "NFKC"}]), {"type": "Whitespace"}, added=[tok(1, "<s>", bool(n), bool(s), bool(sw), bool(l), bool(r)), tok(900, "ab", bool(n), False, bool(sw)), tok(901, "ab ab", bool(n), False), tok(902, "a", bool(s), bool(n), True, bool(l), bool(r)), tok(903, "<s></s>", False, True, l=bool(r))])
# post-processors
S = lambda t, y = 0:{"SpecialToken": {"id": t, "type_id": y}}; Q = lambda q, y = 0:{"Sequence": {"id": q, "type_id": y}}
for a, b in (([S("<s>"), Q("A"), S("</s>")], [S("<s>"), Q("A"), S("</s>"), Q("B", 1), S("</s>", 1)]), ([Q("A", 3)], [Q("B", 1), Q("A", 2)]), ([S("<s>"), S("<s>"), Q("A"), Q("A")], [Q("A"), Q("B"), Q("B")]), ([S("x2")], [Q("A"), S("x2", 7), Q("B")])):
    for tr in (None, True, False):
        pp = {"type": "TemplateProcessing", "single": a, "pair": b, "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}, "</s>": {"id": "</s>", "ids": [2], "tokens": ["</s>"]}, "x2": {"id": "x2", "ids": [4, 5], "tokens": ["p", "q"]}}}
        if tr is not None: pp = {"type": "Sequence", "processors": [{"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": tr, "use_regex": True}, pp]}
        go("PP "+json.dumps(a)[:60], sp, None, meta("always"), pp)
for t, a in itertools.product((True, False), repeat=2):
    go(f"Rob {t}{a}", sp, None, {"type": "ByteLevel", "add_prefix_space": a, "trim_offsets": t, "use_regex": True}, {"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 1], "trim_offsets": t, "add_prefix_space": a})
go("Bertp", wl, None, {"type": "Whitespace"}, {"type": "BertProcessing", "sep": ["</s>", 2], "cls": ["<s>", 1]})
# decoders
D = [{"type": "WordPiece", "prefix": p, "cleanup": c} for p in("##", "", "日") for c in(True, False)]+[meta(s, p, r) for s in("always", "first", "never") for p in(True, False) for r in("▁", "a")]+[{"type": "BPEDecoder", "suffix": s} for s in("</w>", "", "a")]+[{"type": "CTC", "pad_token": p, "word_delimiter_token": w, "cleanup": c} for p in("<unk>", "x", "") for w in("|", "▁", "") for c in(True, False)]+[{"type": "Strip", "content": c, "start": a, "stop": b} for c in" ▁a" for a in(0, 1, 3) for b in(0, 1, 2)]+[{"type": "Replace", "pattern": q, "content": c} for q in({"String": "▁"}, {"String": ""}, {"Regex": "a+"}, {"Regex": "$"}) for c in("", "x ")]+[{"type": k} for k in("Fuse", "ByteFallback")]+[{"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}, None]
D += [{"type": "Sequence", "decoders": [random.choice(D[:-1]) for _ in range(k)]} for k in (0, 1, 2, 3, 4) for _ in range(12)]
ids = [[], [0], [1], [1, 2], [3, 3]]+[[random.randrange(len(V)+258) for _ in range(random.choice((1, 2, 4, 9)))] for _ in range(60)]+[[bytes_.get(f"<0x{b:02X}>", 0) for b in x.encode()] for x in("é", "日本", "🙂", "a\u0301")]+[[bytes_["<0xE6>"], bytes_["<0x97>"]], [bytes_["<0xE6>"], 5, bytes_["<0xA5>"]]]
for d in D:
    j = tj(sp, None, None, None, d, added=[tok(1, "<s>", False, True), tok(2, "</s>", False, True), tok(3, "<mask>", True, False)])
    t = safely(lambda:Tokenizer.from_str(json.dumps(j)))
    for skip in (False, True):
        a, why = ours(j, ids, *(["--skip-special-tokens"] if skip else []), tool="detokenize", key="input_ids")
        if (t is None) != (a is None): differs("load", d, why)
        for i, x in enumerate(ids) if t and a else ():
            want = safely(lambda:t.decode(x, skip_special_tokens=skip))
            count["decodings"] += 1
            if want is not None and want != a.get(i, {}).get("text"): differs(d, skip, x, repr(want), a.get(i))
# members that are not there, are null, or are something else: loaded and encoded alike, or refused by both
VALUES = ["DELETED", None, True, 0, -1, 1.5, "", "zz", "ab", [], {}]
LENIENT = {"unk_id", "byte_fallback", "prepend_scheme", "str_rep", "use_regex"}  # where a default or a wrong type is read, which the library refuses
def vary(slot, spec):
    for untyped in (False, True):
        for k, v in itertools.product([k for k in spec if k != "type"] + ([] if untyped else ["type"]), VALUES[:2] if untyped else VALUES):
            s = {a: b for a, b in spec.items() if not (untyped and a == "type") and not (a == k and v == "DELETED")}
            if v != "DELETED": s[k] = v
            j = {**tj({**wl}, added=[tok(1, "<s>", False, True)]), slot: s}
            count["tokenizers"] += 1
            t, (a, why) = safely(lambda: Tokenizer.from_str(json.dumps(j))), ours(j, FEW, "--add-special-tokens=no", "--offsets=char")
            if (t is None) != (a is None):
                if not (t is None and k in LENIENT): differs("load", slot, s if slot != "model" else k, v, "the library loads it" if t else "the library does not", why)
                continue
            for i, x in enumerate(FEW if t else []):
                e = safely(lambda: t.encode(x, add_special_tokens=False))
                if e is not None and (e.ids, [list(o) for o in e.offsets]) != (a.get(i, {}).get("input_ids"), a.get(i, {}).get("offsets")): differs(slot, k, v, x, (e.ids, e.offsets), a.get(i))
FEW = ["a b ab", "ABC é日  x", "<s>ab x</s> '12", "", "A<s> b"]
for m in (wl, {**sp, "vocab": V}, {"type": "WordPiece", "unk_token": "<unk>", "continuing_subword_prefix": "##", "max_input_chars_per_word": 9, "vocab": V}, {"type": "Unigram", "unk_id": 0, "vocab": [[t, -1.0 - i] for i, t in enumerate(V)], "byte_fallback": False}): vary("model", m)
for n in ({"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True}, {"type": "Strip", "strip_left": True, "strip_right": False}, {"type": "Replace", "pattern": {"String": "a"}, "content": "x"}, {"type": "Prepend", "prepend": "x"}, {"type": "Sequence", "normalizers": [{"type": "Lowercase"}]}): vary("normalizer", n)
for n in ({"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}, {"type": "CharDelimiterSplit", "delimiter": "a"}, {**meta("always"), "str_rep": "x"}, {"type": "Split", "pattern": {"String": "a"}, "behavior": "Isolated", "invert": False}, {"type": "Punctuation", "behavior": "Isolated"}, {"type": "Digits", "individual_digits": True}, {"type": "Sequence", "pretokenizers": [{"type": "Whitespace"}]}): vary("pre_tokenizer", n)
for n in ({"type": "BertProcessing", "sep": ["</s>", 2], "cls": ["<s>", 1]}, {"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 1], "trim_offsets": True, "add_prefix_space": True}, {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}, {"type": "TemplateProcessing", "single": [S("<s>"), Q("A")], "pair": [Q("A"), Q("B", 1)], "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}}, {"type": "Sequence", "processors": []}): vary("post_processor", n)
for n in (D[0], D[12], {"type": "BPEDecoder", "suffix": "</w>"}, {"type": "CTC", "pad_token": "x", "word_delimiter_token": "|", "cleanup": True}, {"type": "Strip", "content": "a", "start": 1, "stop": 0}, {"type": "Replace", "pattern": {"String": "a"}, "content": "x"}, {"type": "Sequence", "decoders": []}): vary("decoder", n)
print(", ".join(f"{v} {k}" for k, v in count.items()))
sys.exit(count["differences"]>0)

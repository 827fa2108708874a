#!/usr/bin/env python3
"""Records how Hugging Face `tokenizers` (0.23.3) splits a text by each pattern of tests/parity/regexes.py, in regex.jsonl:

    {"r" pattern, "t" text, "at" where pieces end, in bytes}

`at` is null where the library refuses the pattern. tests/unit/tok_regex.c compares. Usage: record_regex.py >regex.jsonl"""
import json, os, random, sys
from tokenizers import Regex, pre_tokenizers as P
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../parity"))
from regexes import REGEXES

ATOMS = """a b c d s S ss SS ſ ß ẞ ﬁ fi ﬀ ff ﬃ ffi ﬅ st ŉ ʼn ʼN ǰ İ i̇ ı I k K K å Å ς Σ σ ω Ω Ω ᾳ αι ᾼ և եւ Ꭰ ꭰ é É 日 本 あ 한 1 ٣ ½ ² Ⅷ 's 'S 't 👍 🇰🇷 _ - . , !
( ) [ ] { } + * $ # \\ ab aa aaa bc bd cd abc ABC N O y Q E L x X R K 8 ª ⓐ""".split() + [" ", "  ", "\n", "\r\n", "\t", "\u0085", "\u00a0", "\u3000", "\u200b", "\u0301",
         "\u0345", "\x01", "\x7f", "\x0b", "\x1b", "\u0378", "\ue000", "\ufdd0", "\u0600"]
for r in REGEXES:
    pick = random.Random(r)
    own = [c for c in ATOMS if c in r] * 2  # what the pattern speaks of
    t = "".join(pick.choice(own + ATOMS if own and pick.random() < .6 else ATOMS) for _ in range(26))
    try:
        at = []
        for piece, (b, e) in P.Split(Regex(r), "isolated").pre_tokenize_str(t): at.append(len(t[:e].encode()))
    except BaseException as e:  # a panic is no Exception
        if isinstance(e, KeyboardInterrupt): raise
        at = None
    print(json.dumps({"r": r, "t": t, "at": at}, ensure_ascii=False, separators=(",", ":")))

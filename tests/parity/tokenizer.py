#!/usr/bin/env python3
"""Differential fuzzing of tokenize and detokenize against the installed Hugging Face `tokenizers`.

Rounds take turns: a real vocabulary of $TEST_DATA, one as a model family has it (families.py), or a small one put together at random from
every component that a tokenizer.json can have. Each round makes fresh texts, asks both sides for ids, ids with special tokens, character offsets, pairs, truncations and decodings,
and compares. What the library refuses to load we must refuse too; what only we refuse is counted by our message.

With --dir the tokenizers are those of a folder instead (every .json below it that is one, once each unless --time says for how long), and texts
come from $TEST_DATA's corpora too. FT_ISA levels and the compiled image are tried by chance.

Usage: tokenizer.py [--time SECONDS] [--seed N] [--texts N] [--only real|composed|FAMILY] [--dir DIR] [--keep DIR]
The last line tells what was compared; the status is 1 if anything differed. The first mismatches are printed with their seed, and with
--keep their tokenizer and text are saved.
"""
import argparse, collections, glob, json, os, random, re, subprocess, sys, tempfile, time
import tokenizers
from tokenizers import Tokenizer
from tokenizers.decoders import DecodeStream
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer
from tokenizers import pre_tokenizers as PT
import families, regexes

ap = argparse.ArgumentParser()
ap.add_argument("--time", type=float, default=20)
ap.add_argument("--seed", type=int, default=None)
ap.add_argument("--texts", type=int, default=120)
ap.add_argument("--only", default="")
ap.add_argument("--dir", default="")
ap.add_argument("--keep", default="")
ap.add_argument("--max-fail", type=int, default=10)
args = ap.parse_args()
seed0 = args.seed if args.seed is not None else random.SystemRandom().randrange(10 ** 9)
DATA = os.environ.get("TEST_DATA", "")
os.environ.pop("TUNEUTILS_SEAL", None)
rng = random.Random()

# ---- texts ----

SPACES = " \t\n\r\x0b\x0c\x1c\x1f\x85\xa0\u1680\u180e\u2000\u2003\u2009\u200a\u200b\u2028\u2029\u202f\u205f\u3000\ufeff\u2060"
SPECIALS = ["<s>", "</s>", "<unk>", "<pad>", "<mask>", "[CLS]", "[SEP]", "[MASK]", "[UNK]", "[PAD]", "<|endoftext|>", "<|im_start|>",
            "<|im_end|>", "<|user|>", "[INST]", "[/INST]", "<extra_id_0>", "<0x41>", "<0xE2>", "<x>", "hello", "AB", " a", "naïve", "##ing"]
WORDS = """The quick brown fox's don't WE'LL I've they'RE it'd 'twas naïve café Straße İstanbul ΣΊΣΥΦΟΣ ΑΣ σ Ὀδυσσεύς Ελλάδα Привет мир ёлка
한국어 안녕하세요 각 갂 힣 日本語 カタカナ ひらがな ｶﾀｶﾅ 々〆〤 中文繁體 ａｂｃ１２３ ① ⅷ ½ ² ٣٤٥ १२३ ๑๒ ไทย हिन्दी தமிழ் العربية עברית ଓଡ଼ିଆ
http://a.b/c?d=e&f#g foo_bar fooBar HTTPServer x=1;y+=2; /*c*/ #include <stdio.h> \\u0041 `code` "quoted" (a) [b] {c} $5.00 50% a@b.c
12 345 6789 1,234,567.89 0x1F 1e-7 v1.2.3 ... !!! ??? -- — – … ¿¡ «» “” ‘’ ‚„ ､。！？ ﬁ ﬀ ŉ ǰ ẞ ſ K Å ﷺ ㈱ ㍿ ｱﾞ ゙ が ㅎㅏㄴ ñ ệ Ａ""".split()
EMOJI = ["👍", "👍🏽", "👨‍👩‍👧‍👦", "🏳️‍🌈", "🇰🇷", "🇰", "☺️", "☺", "1️⃣", "🧑🏿‍🚀", "\ufe0f", "\u200d", "\u20e3"]
RANGES = [(0x20, 0x7e), (0xa0, 0x24f), (0x300, 0x36f), (0x370, 0x5ff), (0x600, 0x8ff), (0x900, 0x109f), (0x1100, 0x11ff), (0x1e00, 0x20ff),
          (0x2100, 0x2bff), (0x2e80, 0x33ff), (0x3400, 0x9fff), (0xa000, 0xabff), (0xac00, 0xd7ff), (0xe000, 0xf8ff), (0xf900, 0xfaff),
          (0xfb00, 0xffff), (0x10000, 0x107ff), (0x10800, 0x11fff), (0x1d000, 0x1d7ff), (0x1f000, 0x1faff), (0x20000, 0x2fa1f),
          (0x30000, 0x323af), (0xe0000, 0xe01ef), (0xf0000, 0x10ffff), (0, 0x1f), (0x7f, 0x9f)]

def scalar():
    while True:
        c = rng.randrange(0x110000) if rng.random() < .05 else rng.randint(*rng.choice(RANGES))
        if not 0xd800 <= c < 0xe000:
            return chr(c)

def atom(extra):
    k = rng.random()
    if k < .30: return rng.choice(WORDS)
    if k < .42: return rng.choice(SPACES) * rng.choice((1, 1, 1, 1, 2, 3, 7, 20))
    if k < .52: return " "
    if k < .60 and extra: return rng.choice(extra)
    if k < .66: return rng.choice(SPECIALS)
    if k < .70: return rng.choice(EMOJI)
    if k < .78: return "".join(scalar() for _ in range(rng.randint(1, 6)))
    if k < .81: return scalar() * rng.choice((2, 3, 5, 17, 40))
    if k < .84: # marks in any order behind a base
        return rng.choice("aeoAEΑяक가日") + "".join(chr(rng.choice((0x300, 0x301, 0x308, 0x323, 0x327, 0x345, 0x5b0, 0x64b, 0x93c,
            0x9bc, 0x3099, 0x309a, 0x334, 0x338, 0x1d165, 0x11099, 0x110ba))) for _ in range(rng.randint(1, 4)))
    if k < .87: # jamo
        return "".join(chr(rng.choice((rng.randint(0x1100, 0x1112), rng.randint(0x1161, 0x1175), rng.randint(0x11a7, 0x11c2), 0xac00, 0xac01)))
                       for _ in range(rng.randint(1, 5)))
    if k < .91: return str(rng.randrange(10 ** rng.randint(1, 12)))
    if k < .95: return rng.choice("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~▁Ġ") * rng.choice((1, 1, 2, 3, 8))
    return rng.choice(WORDS).upper() if rng.random() < .5 else rng.choice(WORDS).lower()

CORPORA = [open(p, encoding="utf-8").read() for p in sorted(glob.glob(DATA + "/tokenizers/corpora/*.txt"))] if args.dir else []

def text(extra):
    k = rng.random()
    if CORPORA and rng.random() < .2:
        c = rng.choice(CORPORA); a = rng.randrange(len(c))
        return c[a:a + rng.choice((20, 80, 300, 1500))]
    if k < .02: return ""
    if k < .05: return "".join(scalar() for _ in range(rng.randint(1, 80)))
    if k < .08: return atom(extra) * rng.randint(1, 60)
    if k < .10: return "".join(rng.choice("ab") for _ in range(rng.randint(1, 300)))
    sep = rng.choice(("", "", " ", " "))
    return sep.join(atom(extra) for _ in range(rng.choice((1, 1, 2, 3, 5, 8, 13, 40))))

# ---- tokenizers put together at random ----

def flag(): return rng.random() < .5

REGEX = [r"\s+", r"\S+", r"\w+|[^\w\s]+", r"\d", r"\d+", r"\p{N}{1,3}", r"\p{L}+", r"[\p{L}\p{M}]+", r"\p{P}", r"[^\p{L}\p{N}]", r"'(?:s|t|re)", "",
         r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
         r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
         r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
         r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+", r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*"
         r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
         r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
         r"[一-龥぀-ゟ゠-ヿ]+", r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|"
         r"\s*[\r\n]+|\s+(?!\S)|\s+", r"[0-9][0-9][0-9]", r"(?=(\d{3})+(?!\d))", r"\b", r"\b\w", r"^", r"$", r"^\s", r"a|ab|abc", r"[a-c]+?", r"(a)(b)?",
         r"[[:alpha:]]+", r"[[:space:]]", r"[[:punct:]]", r"[[:digit:][:upper:]]+", r"\h+", r"[^\h]", r"[a-z&&[^aeiou]]+", r"[[a-c][x-z]]", r".", r".+",
         r"\n", r"\R", r"\X", r"(?<=a)b", r"(?<!a)b", r"a{2,3}+", r"a{,3}", r"(?:ab)++", r"(?>a+)b", r"\u3042", r"\x{3042}", r"\x41", r"[^\n]*\n?", r"(?m:.)+",
         r"(?i)straße", r"(?i:k)", r"(?i)ǆ", r"(?i:[a-z]+)", r"(?x) a b ", r"\p{Han}+", r"\p{Hangul}+", r"\p{Hiragana}", r"\p{Katakana}+", r"\p{Latin}+", r"\p{Cyrillic}",
         r"\p{Greek}+", r"\p{Arabic}+", r"\p{Thai}", r"\p{Sc}", r"\p{Sm}+", r"\p{So}", r"\p{Sk}", r"\p{Zs}", r"\p{Z}", r"\p{Cc}", r"\p{C}", r"\p{Pd}", r"\p{Ps}", r"\p{Nl}",
         r"\p{No}", r"\p{Mn}", r"\p{Mc}", r"\p{Me}", r"\p{Alpha}", r"\p{Alnum}+", r"\p{Upper}", r"\p{^L}", r"\P{L}+", r"[\p{^L}\d]+", r"[\P{N}&&\S]+", r"\p{Emoji}", r"\p{L}{2}",
         r"[\s\S]", r"[\w']+", r"[a\-z]", r"[]a]", r"[a-]", r"[\]\\]", r"{", r"}", r"a{", r"]", r"\A\s+", r"\z", r"\Z", r"\s*\z", r"\G.", r"\K", r"a\Kb", r"(?<n>a)\k<n>", r"(a)\1",
         r"\p{Lu}\p{Ll}*", r" ?[A-Z]?[a-z]+", r"[\u4e00-\u9fff]", r"[\x{1f300}-\x{1faff}]", r"\t", r"\e|\f|\v|\a", r"(?#note)a", r"(?i)[^a-k]+", r"\S(?!\S)", r"\W", r"\D+", r"[^\W\d]+"]

def is_regex(r):
    try: return tokenizers.Regex(r) is not None
    except Exception: return False
REGEX += [r for r in regexes.REGEXES if is_regex(r)] # we take some that the library does not, such as (?:\b)*

def pattern():
    if rng.random() < .45:
        return {"String": rng.choice([" ", "  ", "a", "▁", "the", "é", ".", "\n", "", "'", "日", "ab", "aa", "[", "\\s", "\u0301"])}
    return {"Regex": rng.choice(REGEX)}

def normalizer(depth=0):
    k = rng.choice(["Sequence" if depth < 2 else "NFC", "BertNormalizer", "Strip", "StripAccents", "NFC", "NFD", "NFKC", "NFKD", "Lowercase", "Nmt", "Precompiled",
                    "Replace", "Replace", "Prepend", "ByteLevel"])
    j = {"type": k}
    if k == "Sequence": j["normalizers"] = [normalizer(depth + 1) for _ in range(rng.randint(0, 4))]
    elif k == "BertNormalizer": j.update(clean_text=flag(), handle_chinese_chars=flag(), strip_accents=rng.choice((None, True, False)), lowercase=flag())
    elif k == "Strip": j.update(strip_left=flag(), strip_right=flag())
    elif k == "Precompiled":
        if not CHARSMAPS: return normalizer(depth)
        j["precompiled_charsmap"] = rng.choice(CHARSMAPS)
    elif k == "Replace": j.update(pattern=pattern(), content=rng.choice(["", " ", "▁", "x", "xyz", "é", "日本"]))
    elif k == "Prepend": j["prepend"] = rng.choice(["▁", " ", "", "xy", "é"])
    return j

BEHAVIOR = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]
def pre_tokenizer(depth=0):
    k = rng.choice(["Sequence" if depth < 2 else "Split", "BertPreTokenizer", "ByteLevel", "ByteLevel", "CharDelimiterSplit", "Metaspace", "Metaspace", "Whitespace",
                    "WhitespaceSplit", "Split", "Split", "Split", "Punctuation", "Digits", "UnicodeScripts", "FixedLength"])
    j = {"type": k}
    if k == "Sequence": j["pretokenizers"] = [pre_tokenizer(depth + 1) for _ in range(rng.randint(0, 4))]
    elif k == "ByteLevel": j.update(add_prefix_space=flag(), trim_offsets=flag(), **({"use_regex": flag()} if flag() else {}))
    elif k == "CharDelimiterSplit": j["delimiter"] = rng.choice(" a.日\n")
    elif k == "Metaspace":
        j["replacement"] = rng.choice(["▁", "▁", "▁", "_", " ", "é"])
        if flag(): j["prepend_scheme"] = rng.choice(["always", "first", "never"])
        if rng.random() < .3: j["add_prefix_space"] = flag()
        if flag(): j["split"] = flag()
    elif k == "Split": j.update(pattern=pattern(), behavior=rng.choice(BEHAVIOR), invert=flag())
    elif k == "Punctuation": j.update({"behavior": rng.choice(BEHAVIOR)} if flag() else {})
    elif k == "Digits": j["individual_digits"] = flag()
    elif k == "FixedLength": j.update({"length": rng.choice((1, 2, 3, 7))} if flag() else {})
    return j

def special(vocab):
    t = rng.choice(list(vocab) or ["x"]) if flag() else rng.choice(SPECIALS)
    return t, vocab.get(t, rng.randrange(60))

def template(vocab, table):
    def tok():
        t, i = special(vocab)
        table.setdefault(t, {"id": t, "ids": [i] if rng.random() < .8 else [i, rng.randrange(60)], "tokens": [t]})
        if len(table[t]["ids"]) == 2: table[t]["tokens"] = [t, "more"]
        return {"SpecialToken": {"id": t, "type_id": rng.randrange(2)}}
    seq = lambda n: {"Sequence": {"id": n, "type_id": rng.randrange(2)}}
    toks = lambda: [tok() for _ in range(rng.choice((0, 1, 1, 2)))]
    single = toks() + [seq("A")] + toks()
    pair = toks() + [seq("A")] + toks() + [seq("B")] + toks()
    if rng.random() < .1: pair = toks() + [seq("B")] + toks() + [seq("A")] + toks()
    if rng.random() < .05: single = toks()
    return single, pair

def post_processor(vocab, depth=0):
    k = rng.choice(["TemplateProcessing", "TemplateProcessing", "BertProcessing", "RobertaProcessing", "ByteLevel", "Sequence" if depth < 2 else "ByteLevel"])
    j = {"type": k}
    if k == "TemplateProcessing":
        table = {}
        j["single"], j["pair"] = template(vocab, table)
        j["special_tokens"] = table
    elif k in ("BertProcessing", "RobertaProcessing"):
        j.update(sep=list(special(vocab)), cls=list(special(vocab)))
        if k == "RobertaProcessing": j.update(trim_offsets=flag(), add_prefix_space=flag())
    elif k == "ByteLevel": j.update(add_prefix_space=flag(), trim_offsets=flag(), use_regex=flag())
    else: j["processors"] = [post_processor(vocab, depth + 1) for _ in range(rng.randint(0, 3))]
    return j

def decoder(depth=0):
    k = rng.choice(["Sequence" if depth < 2 else "Fuse", "Sequence" if depth < 1 else "ByteFallback", "ByteLevel", "WordPiece", "Metaspace", "BPEDecoder", "CTC", "Replace",
                    "Fuse", "Strip", "ByteFallback"])
    j = {"type": k}
    if k == "Sequence": j["decoders"] = [decoder(depth + 1) for _ in range(rng.randint(0, 4))]
    elif k == "ByteLevel": j.update(add_prefix_space=flag(), trim_offsets=flag(), use_regex=flag())
    elif k == "WordPiece": j.update(prefix=rng.choice(["##", "", "@@", "a"]), cleanup=flag())
    elif k == "Metaspace":
        j["replacement"] = rng.choice("▁▁_a")
        if flag(): j["prepend_scheme"] = rng.choice(["always", "first", "never"])
        if rng.random() < .3: j["add_prefix_space"] = flag()
        if flag(): j["split"] = flag()
    elif k == "BPEDecoder": j["suffix"] = rng.choice(["</w>", "", "a"])
    elif k == "CTC": j.update(pad_token=rng.choice(["<pad>", "a", ""]), word_delimiter_token=rng.choice(["|", " ", ""]), cleanup=flag())
    elif k == "Replace": j.update(pattern=pattern(), content=rng.choice(["", " ", "x", "日"]))
    elif k == "Strip": j.update(content=rng.choice(" ▁a日"), start=rng.randrange(3), stop=rng.choice((0, 0, 1, 2)))
    return j

def added_tokens(vocab):
    out = []
    for i in range(rng.choice((0, 0, 1, 2, 4, 8))):
        c = rng.choice([rng.choice(SPECIALS), rng.choice(WORDS), rng.choice(list(vocab)) if vocab else "x", " " * rng.randint(1, 4), scalar(), "\n\n", "a", "The", "▁a", "É"])
        sp = flag()
        out.append({"id": rng.choice((i, 1000 + i, rng.randrange(300))), "content": c, "single_word": rng.random() < .25, "lstrip": rng.random() < .25,
                    "rstrip": rng.random() < .25, "normalized": flag(), "special": sp})
    return out

def without_twins(j):
    """Of added tokens that the normalizer makes equal the library finds one at random: only the first stays."""
    try:
        n = Tokenizer.from_str(json.dumps({**j, "added_tokens": []})).normalizer
        if n is None: return j
        seen, kept = {}, []
        for t in j["added_tokens"]:
            s = n.normalize_str(t["content"]) if t["normalized"] else None
            if s is None or seen.setdefault(s, t["content"]) == t["content"]: kept.append(t)
        j["added_tokens"] = kept
    except BaseException as e:
        if isinstance(e, KeyboardInterrupt): raise
    return j

CORPUS = " ".join(WORDS * 6 + SPECIALS + EMOJI * 2).split(" ")
_bpe = {}
def trained(kind):
    """A BPE trained once a process: over bytes or characters, with and without affixes."""
    if kind not in _bpe:
        r = random.Random(5)
        lines = [" ".join(r.choice(CORPUS) for _ in range(8)) for _ in range(400)]
        t = Tokenizer(BPE(**({"continuing_subword_prefix": "##"} if "prefix" in kind else {}), **({"end_of_word_suffix": "</w>"} if "suffix" in kind else {})))
        t.pre_tokenizer = PT.ByteLevel(add_prefix_space=False) if "byte" in kind else PT.Metaspace() if "meta" in kind else PT.Whitespace()
        t.train_from_iterator(lines, BpeTrainer(vocab_size=500 if "byte" in kind else 900, show_progress=False, initial_alphabet=PT.ByteLevel.alphabet() if "byte" in kind else [],
            **({"continuing_subword_prefix": "##"} if "prefix" in kind else {}), **({"end_of_word_suffix": "</w>"} if "suffix" in kind else {})))
        _bpe[kind] = json.loads(t.to_str())["model"]
    return json.loads(json.dumps(_bpe[kind]))

def pieces(n):
    """Substrings of what texts are made of."""
    out = set()
    for _ in range(n):
        w = rng.choice(WORDS + EMOJI + ["▁" + rng.choice(WORDS)])
        a = rng.randrange(len(w)); out.add(w[a:a + rng.choice((1, 1, 2, 3, 5, 9))])
    return sorted(out)

def model():
    k = rng.choice(["BPE", "BPE", "BPE", "Unigram", "Unigram", "WordPiece", "WordLevel"])
    j = {"type": k}
    if k == "BPE":
        j = trained(rng.choice(["byte", "byte", "char", "meta", "meta", "char-prefix", "char-suffix", "byte-suffix", "char-prefix-suffix"]))
        if rng.random() < .4: # drop letters, so that some are unknown
            dead = {t for t in j["vocab"] if len(t) == 1 and rng.random() < .2}
            j["merges"] = [m for m in j["merges"] if not any(ch in dead for ch in "".join(m))]
            alive = sorted((i, t) for t, i in j["vocab"].items() if not any(ch in dead for ch in t))
            j["vocab"] = {t: i for i, (_, t) in enumerate(alive)}
        if rng.random() < .3: rng.shuffle(j["merges"])
        n = len(j["vocab"])
        if rng.random() < .5:
            for b in range(256):
                if rng.random() < .98: j["vocab"].setdefault(f"<0x{b:02X}>", n); n = len(j["vocab"])
        if flag():
            j["unk_token"] = rng.choice(["<unk>", "<unk>", "a"])
            if rng.random() < .9: j["vocab"].setdefault(j["unk_token"], len(j["vocab"]))
        j.update(byte_fallback=flag(), fuse_unk=flag(), ignore_merges=rng.random() < .3)
        if flag(): j["merges"] = [" ".join(m) for m in j["merges"] if " " not in "".join(m)]
        if rng.random() < .1: j["dropout"] = rng.choice((None, 0.0, 0.1))
        if rng.random() < .2: # a hole in the ids
            j["vocab"] = {t: i + (3 if i > 40 else 0) for t, i in j["vocab"].items()}
    elif k == "Unigram":
        v = [[p, -rng.choice((1.0, 2.0, 2.0, 3.5, rng.random() * 12))] for p in pieces(300)]
        if flag(): v += [[f"<0x{b:02X}>", -9.0] for b in range(256)]
        if flag(): v.insert(0, ["<unk>", 0.0])
        rng.shuffle(v)
        j.update(unk_id=rng.choice([None, 0, 0, 0, rng.randrange(len(v))]), vocab=v)
        if flag(): j["byte_fallback"] = flag()
    else:
        ps = pieces(400) + [w for w in WORDS if rng.random() < .5]
        if k == "WordPiece":
            pre = rng.choice(["##", "##", "", "é"])
            ps += [pre + p for p in pieces(400)]
            j.update(continuing_subword_prefix=pre, max_input_chars_per_word=rng.choice((100, 100, 5, 1)))
        ps = sorted(set(ps)); rng.shuffle(ps)
        j["unk_token"] = rng.choice(["[UNK]", "[UNK]", "<unk>"])
        if rng.random() < .9 and j["unk_token"] not in ps: ps.append(j["unk_token"])
        j["vocab"] = {p: i for i, p in enumerate(ps)}
    if isinstance(j["vocab"], dict) and rng.random() < .05: # some tokens share an id
        ids = list(j["vocab"].values())
        for t in rng.sample(list(j["vocab"]), 5): j["vocab"][t] = rng.choice(ids)
    if rng.random() < .1: j.pop("type")
    return j

def untrimmed(j):
    """Of two tokens with one id the library trims by the text of one at random."""
    for x in j.values() if isinstance(j, dict) else j if isinstance(j, list) else (): untrimmed(x)
    if isinstance(j, dict) and j.get("trim_offsets"): j["trim_offsets"] = False

def composed():
    m = model()
    v = m["vocab"] if isinstance(m["vocab"], dict) else {t: i for i, (t, _) in enumerate(m["vocab"])}
    maybe = lambda f, p=.7: f() if rng.random() < p else None
    j = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added_tokens(v), "normalizer": maybe(normalizer), "pre_tokenizer": maybe(pre_tokenizer, .85),
         "post_processor": maybe(lambda: post_processor(v)), "decoder": maybe(decoder, .8), "model": m}
    if len(set(v.values())) < len(v): untrimmed(j["post_processor"])
    return without_twins(j), list(v)

# ---- the two sides ----

def library(j):
    """(tokenizer, None) or (None, why)."""
    try:
        return Tokenizer.from_str(json.dumps(j)), None
    except BaseException as e:  # a panic is no Exception
        if isinstance(e, KeyboardInterrupt): raise
        return None, str(e)

def safely(f):
    try:
        return f()
    except BaseException as e:
        if isinstance(e, KeyboardInterrupt): raise
        return None

env = dict(os.environ)

def ours(tool, path, rows, *opts):
    """Answers by row number; rows set aside are missing. (None, message) when the tool failed as a whole."""
    with tempfile.NamedTemporaryFile(suffix=".bad") as bad:
        p = subprocess.run([tool, "-q", "-m", path, "--bad", bad.name, *opts], env=env,
                           input="".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows).encode(), capture_output=True)
    if p.returncode:
        return None, p.stderr.decode(errors="replace").strip() or f"status {p.returncode}"

    return {x.get("n"): x for x in map(json.loads, p.stdout.splitlines())}, None

count = collections.Counter()
refused = collections.Counter()
fails = 0

seen = set()

def report(name, seed, what, row, want, got, j):
    global fails
    count["mismatches"] += 1
    if (seed, what) in seen: return  # one of a kind a tokenizer
    seen.add((seed, what))
    fails += 1
    if fails <= args.max_fail:
        print(f"MISMATCH {name} (seed {seed}) {what}\n  in   {row!r:.300}")
        for key in ("ids", "off") if isinstance(want, dict) and isinstance(got, dict) else (None,):
            a, b = (want, got) if key is None else (want[key], got[key])
            if a != b:
                k = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), 0) if type(a) is type(b) and a is not None else 0
                cut = lambda v: v if v is None else v[max(k - 4, 0):k + 12]
                print(f"  {key or ''} at {k}\n  want {cut(a)!r:.300}\n  got  {cut(b)!r:.300}")
        if not name.startswith("data:") and (seed, "shown") not in seen:
            seen.add((seed, "shown"))
            show = {k: v for k, v in j.items() if k not in ("model", "version", "truncation", "padding")}
            if what.startswith("decode"): show = {k: show[k] for k in ("added_tokens", "normalizer", "decoder")}
            print("  with " + json.dumps(show, ensure_ascii=False)[:1200])
            print("  model " + json.dumps({k: v for k, v in j["model"].items() if k not in ("vocab", "merges")}, ensure_ascii=False)[:300])
    if args.keep:
        os.makedirs(args.keep, exist_ok=True)
        stem = f"{args.keep}/{seed}-{fails}"
        if j: json.dump(j, open(stem + ".tokenizer.json", "w"))
        json.dump({"what": what, "in": row, "want": want, "got": got}, open(stem + ".case.json", "w"), ensure_ascii=False)

def compare(name, seed, j, path, extra, n_texts):
    tok, why = library(j)
    texts = [text(extra) for _ in range(n_texts)]
    rows = [{"n": i, "text": t} for i, t in enumerate(texts)]
    a, message = ours("tokenize", path, rows, "--add-special-tokens=no", "--append-eos=no", "--offsets=char")
    if tok is None:
        count["refused by the library"] += 1
        if a is not None: report(name, seed, "load: the library says " + why, None, None, "loaded", j)
        return
    if a is None and message.startswith("status -"): report(name, seed, "crash", None, None, message, j)
    if a is None:
        short = re.sub(r"^tokenize: \S+tokenizer\.json: ", "", message.splitlines()[-1] if message else "?")
        if os.environ.get("FT_SHOW_REFUSED"): print(seed, short)
        refused[re.sub(r"[0-9]+", "N", short)[:100]] += 1
        return
    b, _ = ours("tokenize", path, rows, "--add-special-tokens=yes", "--append-eos=no")
    vocab_n = tok.get_vocab_size() + 5
    all_ids = []
    for i, t in enumerate(texts):
        e = safely(lambda: tok.encode(t, add_special_tokens=False))
        s = safely(lambda: tok.encode(t, add_special_tokens=True))
        g = a.get(i)
        want = None if e is None else {"ids": e.ids, "off": [list(o) for o in e.offsets]}
        got = None if g is None else {"ids": g["input_ids"], "off": g["offsets"]}
        count["ids"] += 1
        if want is None: count["the library fails"] += 1
        elif got is None or want["ids"] != got["ids"]: report(name, seed, "ids", t, want, got, j)
        elif want["off"] != got["off"]: report(name, seed, "offsets", t, want, got, j)
        if s is not None and (b is None or s.ids != b.get(i, {}).get("input_ids")): report(name, seed, "special", t, s.ids, b and b.get(i, {}).get("input_ids"), j)
        if e is not None: all_ids.append(e.ids)
    for _ in range(n_texts // 4):
        all_ids.append([rng.randrange(vocab_n) for _ in range(rng.choice((0, 1, 2, 3, 8, 20)))])
    rows = [{"n": i, "input_ids": x} for i, x in enumerate(all_ids)]
    v = j["model"]["vocab"] # of two tokens with one id the library decodes to one at random
    random_text = isinstance(v, dict) and len(set(v.values())) < len(v)
    for skip in () if random_text else (False, True):
        d, message = ours("detokenize", path, rows, *(["--skip-special-tokens"] if skip else []))
        for i, x in enumerate(all_ids):
            want = safely(lambda: tok.decode(x, skip_special_tokens=skip))
            if want is None: count["the library fails"] += 1; continue
            count["decodes"] += 1
            got = d.get(i, {}).get("text") if d is not None else message
            if want != got: report(name, seed, f"decode skip={skip}", x, want, got, j)
    encodings(name, seed, j, tok, path, texts)
    pairs(name, seed, j, tok, path, texts)
    if not random_text: streams(name, seed, j, tok, path, all_ids)
    spans(name, seed, j, path, texts)

def spans(name, seed, j, path, texts):
    """Ranges of bytes become the same ranges of tokens whether or not places are asked for (which are compared with the library's)."""
    rows = []
    for i, t in enumerate(texts[:len(texts) // 2]):
        n = len(t.encode())
        at = [len(t[:rng.randint(0, len(t))].encode()) if rng.random() < .9 else rng.randint(0, n) for _ in range(2 * rng.randint(1, 5))]
        at.sort()
        r = [[a, b, k, "content", rng.choice(("user", "assistant")), 1] for k, (a, b) in enumerate(zip(at[::2], at[1::2])) if a < b]
        rows.append({"n": i, "text": t, "spans": r, "learn": [x[:2] for x in r if rng.random() < .5]})
    opts = ["--append-eos=no", "--boundary=" + rng.choice(("prefix", "start", "overlap", "inside")), *(["--no-specials-in-content"] if rng.random() < .3 else [])]
    want, _ = ours("tokenize", path, rows, "--offsets=byte", *opts)
    got, _ = ours("tokenize", path, rows, *opts)
    for r in rows:
        w, g = (want or {}).get(r["n"]), (got or {}).get(r["n"])
        count["spans"] += 1
        w, g = [x and {k: x[k] for k in ("input_ids", "spans", "learn")} for x in (w, g)]
        if w != g: report(name, seed, f"spans {opts}", r, [w], [g], j)

def rows_equal(name, seed, j, what, rows, want, got, opts=()):
    """want: by row number, None where the library fails (then nothing is asked)."""
    for r in rows:
        w, g = want[r["n"]], (got or {}).get(r["n"])
        if w is None: count["the library fails"] += 1; continue
        count[what] += 1
        g = g and {"ids": g["input_ids"], "off": g.get("offsets"), "type": g.get("token_type_ids")}
        for key in w:
            if g is None or w[key] != g[key]: report(name, seed, f"{what}: {key}", (r, *opts), w[key], g and g[key], j); break

def as_bytes(text, off):
    """Offsets in characters as offsets in bytes; None where they lie outside of the text."""
    at = [0]
    for c in text: at.append(at[-1] + len(c.encode()))
    return [[at[a], at[b]] for a, b in off] if all(a <= b < len(at) for a, b in off) else None

def encodings(name, seed, j, tok, path, texts):
    """Type ids and byte offsets, with special tokens; the text of special tokens as plain text."""
    texts = texts[:len(texts) // 3]
    # The bytes of a prefix or suffix that fell back have places inside of characters, which no offset in characters tells.
    odd = j["model"].get("byte_fallback") and (j["model"].get("end_of_word_suffix") or j["model"].get("continuing_subword_prefix"))
    rows = [{"n": i, "text": t} for i, t in enumerate(texts)]
    for plain in (False, True):
        tok.encode_special_tokens = plain
        want = []
        for t in texts:
            e = safely(lambda: tok.encode(t))
            off = None if e is None or odd else as_bytes(t, e.offsets)
            want.append(None if e is None else {"ids": e.ids, "type": e.type_ids, **({"off": off} if off is not None else {})})
        got, _ = ours("tokenize", path, rows, "--add-special-tokens=yes", "--append-eos=no", "--type-ids", "--offsets=byte", *(["--no-specials-in-content"] if plain else []))
        rows_equal(name, seed, j, "plain specials" if plain else "byte offsets", rows, want, got)
    tok.encode_special_tokens = False

def pairs(name, seed, j, tok, path, texts):
    """Pairs, and truncation of one text and of two."""
    two = [{"n": i, "text": rng.choice(texts), "pair": rng.choice(texts)} for i in range(len(texts) // 4)]
    one = [{"n": i, "text": t} for i, t in enumerate(texts[:len(texts) // 4])]
    for rows, cut in ((two, False), (two, True), (one, True)):
        opts, special = [], rng.random() < .7
        if cut:
            # Less than the special tokens: the library's length wraps around, and it cuts nothing; we refuse.
            n = max(1, (tok.num_special_tokens_to_add(rows is two) if special else 0) + rng.choice((0, 1, 1, 2, 3, 4, 5, 7, 8, 16, 40)))
            # Two templates in a row make something else of a text than they count: the library then cuts what fits.
            both = [safely(lambda: len(tok.encode(rows[0]["text"], rows[0].get("pair"), add_special_tokens=x))) for x in (True, False)] if rows else [None]
            if special and (None in both or both[0] - both[1] != tok.num_special_tokens_to_add(rows is two)): continue
            # Which of two texts is cut: of one text it is that one, and we have no option for it.
            how, side = rng.choice(("longest_first", "only_first", "only_second")[:3 if rows is two else 2]), rng.choice(("left", "right"))
            if safely(lambda: tok.enable_truncation(n, strategy=how, direction=side) or True) is None: continue
            opts = [f"--max-length={n}", "--truncation-side=" + side] + (["--truncation-strategy=" + how.replace("_", "-")] if rows is two else [])
        want = []
        for r in rows:
            e = safely(lambda: tok.encode(r["text"], r.get("pair"), add_special_tokens=special))
            want.append(None if e is None else {"ids": e.ids, "off": [list(o) for o in e.offsets], "type": e.type_ids})
        tok.no_truncation()
        got, _ = ours("tokenize", path, rows, "--append-eos=no", "--type-ids", "--offsets=char", f"--add-special-tokens={'yes' if special else 'no'}",
                      *(["--pair=pair"] if rows is two else []), *opts)
        rows_equal(name, seed, j, ("pairs" if rows is two else "single") + (" truncated" if cut else ""), rows, want, got, opts)

def streams(name, seed, j, tok, path, all_ids):
    for ids in rng.sample(all_ids, min(3, len(all_ids))):
        skip = flag()
        def library():
            s = DecodeStream(skip_special_tokens=skip)
            return [s.step(tok, i) or "" for i in ids]
        want = safely(library)
        if want is None: count["the library fails"] += 1; continue
        got, message = ours("detokenize", path, [{"n": i, "input_ids": [x]} for i, x in enumerate(ids)], "--stream", *(["--skip-special-tokens"] if skip else []))
        count["streams"] += 1
        got = got is not None and [got.get(i, {}).get("text") for i in range(len(ids))]
        if got != want: report(name, seed, f"stream skip={skip}", ids, want, got or message, j)

REAL = [os.path.dirname(p) for p in sorted(glob.glob(DATA + "/tokenizers/*/tokenizer.json") + glob.glob(DATA + "/models/*/tokenizer.json"))]
REAL_JSON = {}
CHARSMAPS = []
for d in REAL:
    j = json.load(open(d + "/tokenizer.json", encoding="utf-8"))
    j["padding"] = j["truncation"] = None
    REAL_JSON[d] = j
    def charsmap(n):
        if isinstance(n, dict):
            if n.get("precompiled_charsmap"): CHARSMAPS.append(n["precompiled_charsmap"])
            for v in n.values(): charsmap(v)
        elif isinstance(n, list):
            for v in n: charsmap(v)
    charsmap(j.get("normalizer"))
GRAFTS = sorted(glob.glob(DATA + "/tokenizers/grafts/*.json"))

def real():
    d = rng.choice(REAL)
    j = json.loads(json.dumps(REAL_JSON[d])) if rng.random() < .3 else REAL_JSON[d]
    name = "data:" + os.path.basename(d)
    if j is not REAL_JSON[d]: # the real vocabulary under other rules
        if "gpt2" in d and GRAFTS and flag():
            g = rng.choice(GRAFTS); name += "+" + os.path.basename(g)
            j["pre_tokenizer"] = json.load(open(g))
        else:
            name = "mixed:" + name
            k = rng.choice(["normalizer", "pre_tokenizer", "decoder", "added_tokens"])
            j[k] = {"normalizer": normalizer, "pre_tokenizer": pre_tokenizer, "decoder": decoder, "added_tokens": lambda: added_tokens({"the": 1})}[k]()
            without_twins(j)
    v = j["model"]["vocab"]
    some = [t[0] if isinstance(t, list) else t for t in rng.sample(list(v), 60)] + [t["content"] for t in j.get("added_tokens", [])]
    return name, j, some

def of_folder():
    """The tokenizers below --dir, in turns: (name, tree, some of its tokens)."""
    files = sorted(p for p in glob.glob(args.dir + "/**/*.json", recursive=True) if args.only in p and os.path.isfile(p))
    while True:
        n = 0
        for p in files:
            try: j = json.load(open(p, encoding="utf-8"))
            except ValueError: continue
            if not isinstance(j, dict) or not isinstance(j.get("model"), dict) or "vocab" not in j["model"]: continue
            n += 1
            j["padding"] = j["truncation"] = None
            v = j["model"]["vocab"]
            some = [t[0] if isinstance(t, list) else t for t in rng.sample(list(v), min(60, len(v)))]
            for t in j.get("added_tokens", []): # as they are, side by side, in spaces, in words, cut short
                c = t["content"]
                some += [c, c, c + c, f" {c} ", f"x{c}y", f"\t{c}\n{c}", c[:-1], c.upper(), " " + c]
            yield "file:" + os.path.relpath(p, args.dir), j, some
        if not n or not args.time: return

FAMILIES = {}
def family():
    if not FAMILIES:
        r = random.Random(6)
        FAMILIES.update(families.families([" ".join(r.choice(CORPUS) for _ in range(8)) for _ in range(500)], list(dict.fromkeys(CHARSMAPS))))
    names = [n for n in FAMILIES if args.only in n]
    if not names: return None
    name = rng.choice(names)
    j = FAMILIES[name]
    some = [t[0] if isinstance(t, list) else t for t in rng.sample(list(j["model"]["vocab"]), 40)]
    return "family:" + name, j, some + [t["content"] for t in j["added_tokens"]]

def by_chance():
    if REAL and rng.random() < .15 and args.only in ("", "real"): return real()
    if args.only == "real": return None
    if args.only not in ("", "composed") or (not args.only and rng.random() < .3): return family()
    j, extra = composed()
    return "composed", j, extra

start = time.time()
n_round = 0
folder = of_folder() if args.dir else None
if args.dir and args.time == ap.get_default("time"): args.time = 0
with tempfile.TemporaryDirectory() as tmp:
    path = tmp + "/tokenizer.json"
    env["TUNEUTILS_CACHE"] = tmp + "/cache"
    while fails < args.max_fail and (folder and not args.time or time.time() - start < args.time):
        seed = seed0 + n_round
        rng.seed(seed)
        n_round += 1
        made = next(folder, None) if folder else by_chance()
        if not made:
            if folder: break
            continue
        name, j, extra = made
        json.dump(j, open(path, "w"))
        env["FT_ISA"] = rng.choice(("", "scalar", "avx2", "avx512"))
        env["TUNEUTILS_CACHE"] = tmp + "/cache" if rng.random() < .3 else "off"
        compare(name, seed, j, path, extra, args.texts * (1 if name == "composed" else 3))
        if folder: print(f"{name}: {fails} kinds of mismatch so far", flush=True)
        count["tokenizers"] += 1
        if args.seed is not None and args.time <= 0 and not folder: break
for why, k in refused.most_common():
    print(f"refused by us alone: {k} x {why}")
print(f"tokenizers {tokenizers.__version__}, seed {seed0}: " + ", ".join(f"{v} {k}" for k, v in sorted(count.items())) + f"; {fails} kinds of mismatch")
sys.exit(fails > 0)

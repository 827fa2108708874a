#!/usr/bin/env python3
"""Makes small vocabularies that together have every component of a tokenizer.json, and records what Hugging Face `tokenizers` (0.23.3) makes
of some texts: NAME.json is the tokenizer; NAME.jsonl has a row a text

    {"t" text, "ids", "off" offsets in characters (flat), "sp" ids with special tokens, "dec" decoded, "skip" decoded without special tokens}

and rows {"a", "b", "ids", "type"} of pairs and {"a" (, "b"), "max", "how", "side", "ids"} of truncations. A value is null where the library
fails. Training is not deterministic: another run makes other vocabularies. Also .model and .tiktoken files with sentencepiece's and tiktoken's own
answers. Run it in this folder, with `tokenizers`, `sentencepiece` and `tiktoken` installed; tests/unit/tok_golden.c compares.
Usage: record.py [NAME...]   these alone
"""
import base64, io, json, random, sys
import sentencepiece
from tokenizers import Tokenizer, models, trainers, pre_tokenizers as P, normalizers as N, decoders as D, processors as R, AddedToken, Regex

CORPUS = """The miller's daughter carried water from the well to the mill, and the mill turned all day long. It's a small town: don't hurry.
She asked how many sacks were left; he said there were 12, then 120, then 1,200 and at last 34567. They've counted again, and we'll count too.
물방앗간 딸은 우물에서 물을 길어 방앗간으로 날랐습니다. 방앗간은 하루 종일 돌았습니다. 자루가 몇 개 남았는지 물었습니다. 안녕하세요, 반갑습니다.
粉屋の娘は井戸から水を運びました。カタカナとひらがなと漢字。大きな水車は一日中回っていました。
Die Müllerstochter trug Wasser; größer, schöner, über Straße und Brücke. Мельник считал мешки. Ο μυλωνάς μετρούσε τα σακιά.
for (int i = 0; i < n; i++) { sum += v[i] * 2; } return sum; // add them up   if x == 1:   print("ok")
HTTPServer fooBar camelCase SCREAMING_CASE http://example.org/a?b=c&d=e#f user@example.org 3.14 1e-7 0x1F 50% $5.00""".split("\n")

TEXTS = ["", " ", "The mill turned all day.", "the miller's daughter", "It's, don't, they've, we'll, I'M, DON'T, it'ſ", "  two  spaces   three    four ", "tab\tnew\nline\r\n\r\nend  ",
    "12 120 1,200 34567 1234567890", "물방앗간 딸은 우물에서", "안녕하세요", "粉屋の娘は井戸から水を", "カタカナ ひらがな 漢字ー々", "größer schöner Straße ẞ ﬁ ½ ① ㈱ ﷺ",
    "Мельник Ο μυλωνάς ΣΊΣΥΦΟΣ", "e\u0301 u\u0308 A\u030a\u0323 \u0301x q\u0323\u0307", "for (int i = 0; i < n; i++) { v[i] += 2; }\n\treturn v; // ok", "HTTPServer fooBar SCREAMING_CASE snake_case",
    "http://example.org/a?b=c&d=e#f user@example.org", "👍🏽 👨‍👩‍👧‍👦 🏳️‍🌈 🇰🇷 ☺️ 1️⃣", "<s>Hello</s> [CLS] x [SEP]", "a<mask>b  <mask>  c", "<tool>mill</tool> toolbox tool", "▁lower ▁ ▁▁ Ġx",
    "\u00a0nbsp\u2003em\u3000wide\u200bzero\ufeffbom\u0085nel", "\u0000\u0001\u001f\u007f\ufffd\ue000\U000f0000", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "...!!!??? -- — “quoted” «x» (y) [z]", "x=1;y+=2;z", "unknown: ꙮ 𒀀 𝔘𝔫𝔦 ᚠᚢᚦ", "İstanbul ISTANBUL ıi ǅ ǆ", "한\u1112\u1161\u11ab 각 갂 ㅎㅏㄴ", "don't stop' 'til 's", "<0x41><0xE2> ##ing </w> |pad|",
    "mill\n\nmill\n \n mill", "A  <mask>", "Miller MILLER miller", "क्षि ಕ್ಷ தமிழ்", "ﾊﾝｶｸ ｶﾞ ﾊﾟ Ａｂｃ１２３"]

SPECIALS = [AddedToken("<s>", special=True), AddedToken("</s>", special=True), AddedToken("<mask>", lstrip=True, special=True)]
CL100K = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN = CL100K.replace("{1,3}", "")
O200K = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+"
         r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
KIMI = r"[\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}&&[^\p{Han}]]+|\p{N}{1,3}|[[:punct:]]|\s+(?!\S)|\s+"
DEEP = [r"\p{N}{1,3}", r"[一-龥぀-ゟ゠-ヿ]+", r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"]

def train(t, trainer):
    t.train_from_iterator(CORPUS, trainer)
    return t

def byte_bpe(size=380, **kw):
    t = Tokenizer(models.BPE(**kw))
    t.pre_tokenizer = P.ByteLevel(add_prefix_space=False)
    return train(t, trainers.BpeTrainer(vocab_size=size, show_progress=False, initial_alphabet=P.ByteLevel.alphabet(), special_tokens=SPECIALS[:2],
                                        **({"end_of_word_suffix": "</w>"} if "end_of_word_suffix" in kw else {})))

def char_bpe(size=330, fallback=True, pre=None, **kw):
    t = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=fallback, **kw))
    t.pre_tokenizer = pre or P.Metaspace(prepend_scheme="always")
    bytes_ = [f"<0x{b:02X}>" for b in range(256)] if fallback else []
    train(t, trainers.BpeTrainer(vocab_size=size + len(bytes_), show_progress=False, limit_alphabet=90, special_tokens=["<unk>"] + SPECIALS[:2] + bytes_,
                                 **({"continuing_subword_prefix": "##"} if "continuing_subword_prefix" in kw else {})))
    j = json.loads(t.to_str())
    j["added_tokens"] = [a for a in j["added_tokens"] if not a["content"].startswith("<0x")]
    return Tokenizer.from_str(json.dumps(j))

def charsmap(rules=None):
    """A small precompiled map, as the sentencepiece trainer makes it of rules."""
    rules = rules or {"Ａ": "A", "１": "1", "½": "1/2", "①": "1", "ﬁ": "fi", "e\u0301": "é", "ｶﾞ": "ガ", "ｶ": "カ", "\t": " ", "\u3000": " ", "\u00a0": " ", "ß": "ss", "\ufeff": ""}
    open("/tmp/rules.tsv", "w").write("".join(" ".join(f"{ord(c):X}" for c in k) + "\t" + " ".join(f"{ord(c):X}" for c in v) + "\n" for k, v in rules.items()))
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(CORPUS), model_writer=out, vocab_size=300, model_type="unigram", hard_vocab_limit=False,
                                             normalization_rule_tsv="/tmp/rules.tsv", minloglevel=2)
    def fields(b):
        i, got = 0, {}
        def varint(i):
            v = s = 0
            while True:
                v |= (b[i] & 127) << s; s += 7; i += 1
                if b[i - 1] < 128: return v, i
        while i < len(b):
            k, i = varint(i)
            if k & 7 == 2: n, i = varint(i); got[k >> 3] = b[i:i + n]; i += n
            elif k & 7 == 0: _, i = varint(i)
            else: i += 4 if k & 7 == 5 else 8
        return got
    return fields(fields(out.getvalue())[3])[2]

def unigram(size=260, **kw):
    t = Tokenizer(models.Unigram())
    t.pre_tokenizer = P.Metaspace()
    train(t, trainers.UnigramTrainer(vocab_size=size, show_progress=False, special_tokens=["<unk>", "<s>", "</s>"], unk_token="<unk>", n_sub_iterations=1))
    v = json.loads(t.to_str())["model"]["vocab"]
    if kw.get("byte_fallback"): v += [[f"<0x{b:02X}>", -12.5] for b in range(256)]
    t.model = models.Unigram([(a, b) for a, b in v], 0, kw.get("byte_fallback", False))
    return t

def wordpiece(**kw):
    t = Tokenizer(models.WordPiece(unk_token="[UNK]", **kw))
    t.normalizer, t.pre_tokenizer = N.BertNormalizer(lowercase=False), P.BertPreTokenizer()
    return train(t, trainers.WordPieceTrainer(vocab_size=300, show_progress=False, limit_alphabet=140, special_tokens=["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]))

made = {}
def make(name):
    def add(f):
        if len(sys.argv) > 1 and name not in sys.argv: return
        made[name] = f()
        if isinstance(made[name], Tokenizer): made[name] = json.loads(made[name].to_str())
    return add

@make("byte-gpt2")
def _():
    """An old file: no model type, merges as strings."""
    t = byte_bpe()
    t.pre_tokenizer, t.decoder, t.post_processor = P.ByteLevel(add_prefix_space=False), D.ByteLevel(), R.ByteLevel(trim_offsets=False)
    j = json.loads(t.to_str())
    del j["model"]["type"]
    j["model"]["merges"] = [" ".join(m) for m in j["model"]["merges"]]
    return j

@make("byte-roberta")
def _():
    t = byte_bpe(unk_token="</s>")
    t.add_special_tokens([SPECIALS[2]])
    t.pre_tokenizer, t.decoder, t.post_processor = P.ByteLevel(add_prefix_space=True), D.ByteLevel(), R.RobertaProcessing(("</s>", 1), ("<s>", 0))
    return t

@make("byte-llama3")
def _():
    t = byte_bpe(ignore_merges=True)
    t.pre_tokenizer = P.Sequence([P.Split(Regex(CL100K), "isolated"), P.ByteLevel(add_prefix_space=False, use_regex=False)])
    t.decoder, t.post_processor = D.ByteLevel(), R.Sequence([R.ByteLevel(trim_offsets=True), R.TemplateProcessing("<s> $A", "<s> $A <s>:1 $B:1", [("<s>", 0)])])
    j = json.loads(t.to_str())
    j["model"]["vocab"]["Ġmillers"] = len(j["model"]["vocab"])  # a word that no merge reaches
    return j

@make("byte-qwen")
def _():
    t = byte_bpe()
    t.normalizer = N.NFC()
    t.pre_tokenizer = P.Sequence([P.Split(Regex(QWEN), "isolated"), P.ByteLevel(add_prefix_space=False, use_regex=False)])
    t.decoder = D.ByteLevel()
    t.add_tokens([AddedToken("<tool>", normalized=False), AddedToken("</tool>", normalized=False), AddedToken("é", normalized=True), AddedToken("   ", normalized=True)])
    return t

@make("byte-o200k")
def _():
    t = byte_bpe()
    t.pre_tokenizer = P.Sequence([P.Split(Regex(O200K), "isolated"), P.ByteLevel(add_prefix_space=False, use_regex=False)])
    t.decoder = D.ByteLevel()
    return t

@make("byte-sets")
def _():
    t = byte_bpe()
    t.pre_tokenizer = P.Sequence([P.Split(Regex(KIMI), "removed", invert=True), P.ByteLevel(add_prefix_space=False, use_regex=False)])
    t.decoder = D.ByteLevel()
    return t

@make("byte-deepseek")
def _():
    t = byte_bpe()
    t.pre_tokenizer = P.Sequence([P.Split(Regex(r), "isolated") for r in DEEP] + [P.ByteLevel(add_prefix_space=False, use_regex=False)])
    t.decoder = D.ByteLevel()
    return t

@make("byte-starcoder")
def _():
    t = byte_bpe()
    t.pre_tokenizer, t.decoder = P.Sequence([P.Digits(individual_digits=True), P.ByteLevel(add_prefix_space=False)]), D.ByteLevel()
    return t

@make("byte-falcon")
def _():
    t = byte_bpe()
    t.pre_tokenizer = P.Sequence([P.Punctuation("contiguous"), P.ByteLevel(add_prefix_space=False), P.Digits(False), P.Split(Regex("[0-9][0-9][0-9]"), "isolated")])
    t.decoder, t.post_processor = D.ByteLevel(), R.BertProcessing(("</s>", 1), ("<s>", 0))
    return t

@make("byte-clip")
def _():
    t = byte_bpe(unk_token="</s>", end_of_word_suffix="</w>")
    t.normalizer = N.Sequence([N.NFC(), N.Replace(Regex(r"\s+"), " "), N.Lowercase()])
    t.pre_tokenizer = P.Sequence([P.Split(Regex(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"), "removed", invert=True), P.ByteLevel(add_prefix_space=False)])
    t.decoder, t.post_processor = D.ByteLevel(), R.RobertaProcessing(("</s>", 1), ("<s>", 0), trim_offsets=False, add_prefix_space=False)
    return t

@make("sp-llama2")
def _():
    t = char_bpe(fuse_unk=True)
    t.normalizer, t.pre_tokenizer = N.Sequence([N.Prepend("▁"), N.Replace(" ", "▁")]), P.Sequence([])
    t.decoder = D.Sequence([D.Replace("▁", " "), D.ByteFallback(), D.Fuse(), D.Strip(" ", 1, 0)])
    t.post_processor = R.TemplateProcessing("<s> $A", "<s> $A <s>:1 $B:1", [("<s>", 1)])
    t.add_tokens([AddedToken("<tool>", normalized=True)])
    j = json.loads(t.to_str())
    j["pre_tokenizer"] = None
    return j

@make("sp-mistral")
def _():
    t = char_bpe(fuse_unk=True)
    t.pre_tokenizer = P.Metaspace(prepend_scheme="first", split=False)
    t.decoder = D.Sequence([D.Replace("▁", " "), D.ByteFallback(), D.Fuse(), D.Strip(" ", 1, 0)])
    t.add_tokens([AddedToken("<tool>", normalized=False, rstrip=True), AddedToken("mill", single_word=True, normalized=False)])
    return t

@make("sp-gemma")
def _():
    t = char_bpe(fuse_unk=True)
    t.normalizer, t.pre_tokenizer = N.Replace(" ", "▁"), P.Split(" ", "merged_with_previous")
    t.decoder = D.Sequence([D.Replace("▁", " "), D.ByteFallback(), D.Fuse()])
    return t

@make("sp-unk")
def _():
    """Unknown characters one by one; text before the first added token has no space of its own."""
    t = char_bpe(fallback=False, fuse_unk=False)
    t.normalizer, t.pre_tokenizer = N.Sequence([N.Nmt(), N.NFKC()]), P.Sequence([P.WhitespaceSplit(), P.Metaspace(prepend_scheme="first")])
    t.decoder = D.Metaspace(prepend_scheme="never")
    t.add_special_tokens([SPECIALS[2]])
    return t

@make("bpe-prefix")
def _():
    t = char_bpe(fallback=False, continuing_subword_prefix="##", pre=P.Whitespace())
    t.normalizer = N.Sequence([N.NFKD(), N.StripAccents(), N.Strip(left=True, right=False)])
    t.pre_tokenizer = P.Sequence([P.CharDelimiterSplit(";"), P.Whitespace(), P.Punctuation("merged_with_next")])
    t.decoder = D.Sequence([D.WordPiece(prefix="##", cleanup=True)])
    return t

@make("bpe-chars")
def _():
    """All merges dropped; pieces of a fixed length."""
    t = byte_bpe(dropout=1.0)
    t.normalizer, t.pre_tokenizer = N.ByteLevel(), P.FixedLength(4)
    t.decoder = D.Sequence([D.Fuse(), D.ByteLevel()])
    return t

@make("wordpiece-uncased")
def _():
    t = wordpiece()
    t.normalizer = N.BertNormalizer()
    t.decoder, t.post_processor = D.WordPiece(), R.TemplateProcessing("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", [("[CLS]", 1), ("[SEP]", 2)])
    return t

@make("wordpiece-cased")
def _():
    t = wordpiece(max_input_chars_per_word=12)
    t.normalizer = N.BertNormalizer(clean_text=True, handle_chinese_chars=False, strip_accents=True, lowercase=False)
    t.decoder, t.post_processor = D.WordPiece(cleanup=False), R.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    return t

@make("unigram-t5")
def _():
    t = unigram()
    t.normalizer = N.Sequence([N.Precompiled(charsmap()), N.Strip(left=False, right=True), N.Replace(Regex(" {2,}"), "▁")])
    t.pre_tokenizer, t.decoder = P.Metaspace(prepend_scheme="always"), D.Metaspace()
    t.post_processor = R.TemplateProcessing("$A </s>", "$A </s> $B </s>", [("</s>", 2)])
    return t

CLUSTERS = ["\U000e0099\u0343\u034e", "a\u0343\u034eb", "\u2065\u0343\u034e", "\u0343\u0343\u034e", "\uac00\u0343\u034ex", "\r\u0343\u034e", "\U000e0001\u0343\u034e"]

@make("unigram-clusters")
def _():
    """Clusters of characters that a map takes whole, behind controls that Unicode keeps in reserve."""
    t = unigram()
    t.normalizer = N.Precompiled(charsmap({"\u0343": "\u0313", "\u0341": "\u0301", "\u0344": "\u0308\u0301"}))
    t.pre_tokenizer, t.decoder = P.Metaspace(prepend_scheme="always"), D.Metaspace()
    return t

@make("unigram-bytes")
def _():
    t = unigram(byte_fallback=True)
    t.normalizer, t.pre_tokenizer = N.NFD(), P.Sequence([P.UnicodeScripts(), P.Metaspace(prepend_scheme="never", split=False)])
    t.decoder = D.Sequence([D.ByteFallback(), D.Metaspace(prepend_scheme="never"), D.Fuse()])
    return t

@make("wordlevel")
def _():
    t = Tokenizer(models.WordLevel(unk_token="<unk>"))
    t.normalizer, t.pre_tokenizer = N.Lowercase(), P.Whitespace()
    train(t, trainers.WordLevelTrainer(vocab_size=150, show_progress=False, special_tokens=["<unk>", "<pad>", "|"]))
    t.pre_tokenizer = P.Sequence([P.Split(Regex(r"(?<=[a-z])(?=[A-Z])|\b"), "merged_with_previous"), P.WhitespaceSplit()])
    t.decoder = D.Sequence([D.CTC(pad_token="<pad>", word_delimiter_token="|"), D.BPEDecoder(suffix="ll"), D.Strip("t", 0, 1)])
    t.add_tokens([AddedToken("MILL", normalized=True, lstrip=True, rstrip=True), AddedToken("Tool", single_word=True, normalized=True)])
    return t

@make("sp-strip")
def _():
    """The first word begins where the normalizer leaves it; a decoder that makes text of no tokens."""
    t = char_bpe(fallback=False, fuse_unk=True)
    t.normalizer, t.pre_tokenizer = N.Strip(left=True, right=False), P.Metaspace(prepend_scheme="first", split=False)
    t.decoder = D.Sequence([D.ByteLevel(), D.Fuse(), D.CTC(pad_token="a", word_delimiter_token="", cleanup=True)])
    return t

@make("shared-ids")
def _():
    """Ids that two tokens share, a token that stands twice."""
    t = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    t.pre_tokenizer = P.Whitespace()
    train(t, trainers.WordPieceTrainer(vocab_size=220, show_progress=False, special_tokens=["[UNK]"]))
    j = json.loads(t.to_str())
    v = j["model"]["vocab"]
    for a, b in (("T", "t"), ("##e", "##a"), ("mill", "##mill"), ("1", "2")): v[a] = v.get(b, 5)
    return j

@make("odd-front")
def _():
    """Text put in where nothing was, rewritten again."""
    replace = lambda p, c: {"type": "Replace", "pattern": {"Regex": p}, "content": c}
    letters = "?xyzabhelmrt▁ Ġ|THEMilron.,'0123ce"
    return {"version": "1.0", "added_tokens": [], "post_processor": None, "decoder": None,
            "normalizer": {"type": "Sequence", "normalizers": [replace("^", "x"), {"type": "Strip", "strip_left": True, "strip_right": True},
                           {"type": "Prepend", "prepend": "y"}, replace("mill", "")]},
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"String": "x"}, "behavior": "Isolated", "invert": False},
                              {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}]},
            "model": {"type": "BPE", "unk_token": "?", "merges": [["x", "x"], ["y", "x"]], "vocab": {c: i for i, c in enumerate(dict.fromkeys(list(letters) + ["xx", "yx"]))}}}

@make("odd-ids")
def _():
    """Ids with holes, which added tokens fill; two tokens with one id, of which the normalizer changes one, both or none."""
    token = lambda c, n: {"id": 0, "content": c, "single_word": False, "lstrip": False, "rstrip": False, "normalized": n, "special": False}
    return {"version": "1.0", "added_tokens": [token("Mill", False), token("The", True), token("went", False), token("Miller", True), token("tool", False)], "normalizer": {"type": "Lowercase"},
            "pre_tokenizer": {"type": "Whitespace"}, "post_processor": None, "decoder": None,
            "model": {"type": "WordLevel", "unk_token": "a", "vocab": {"a": 0, "the": 1, "went": 4, "Miller": 5, "tool": 6}}}

@make("odd-unknown")
def _():
    """A Unigram whose unknown token is a piece."""
    return {"version": "1.0", "added_tokens": [], "normalizer": {"type": "NFKC"}, "pre_tokenizer": {"type": "WhitespaceSplit"}, "post_processor": None, "decoder": None,
            "model": {"type": "Unigram", "unk_id": 0, "vocab": [["f", -2.0], ["a", -2.0], ["t", -1.0], ["h", -3.0], ["e", -2.5], ["he", -3.0], ["if", -9.0], ["i", -4.0], ["l", -3.0], ["ff", -5.0], ["m", -2.0]]}}

def safely(f):
    try: return f()
    except BaseException as e:  # a panic is no Exception
        if isinstance(e, KeyboardInterrupt): raise
        return None

def get(e, what): return None if e is None else getattr(e, what)

for name, j in made.items():
    j["truncation"] = j["padding"] = None
    s = json.dumps(j, ensure_ascii=False, separators=(",", ":"))
    if name == "shared-ids": s = s.replace('"vocab":{', '"vocab":{"the":7,', 1)
    open(name + ".json", "w", encoding="utf-8").write(s + "\n")
    t = Tokenizer.from_str(s)
    r = random.Random(name)
    rows = []
    for x in TEXTS + (CLUSTERS if name == "unigram-clusters" else ["ff fif aff fff mill", "Miller went the tool"] if name.startswith("odd") else []):
        e, sp = safely(lambda: t.encode(x, add_special_tokens=False)), safely(lambda: t.encode(x))
        rows.append({"t": x, "ids": get(e, "ids"), "off": e if e is None else [o for p in e.offsets for o in p], "sp": get(sp, "ids"),
                     "dec": safely(lambda: t.decode(e.ids, skip_special_tokens=False)), "skip": safely(lambda: t.decode(sp.ids, skip_special_tokens=True))})
    for _ in range(5):  # ids at random
        ids = [r.randrange(t.get_vocab_size() + 2) for _ in range(r.choice((1, 2, 5, 9)))]
        rows.append({"ids": ids, "dec": safely(lambda: t.decode(ids, skip_special_tokens=False)), "skip": safely(lambda: t.decode(ids, skip_special_tokens=True))})
    for a, b in ((2, 3), (6, 19), (0, 8), (12, 0)):
        e = safely(lambda: t.encode(TEXTS[a], TEXTS[b]))
        rows.append({"a": TEXTS[a], "b": TEXTS[b], "ids": get(e, "ids"), "type": get(e, "type_ids")})
    for n, how, side, a, b in ((9, "longest_first", "right", 2, None), (5, "longest_first", "left", 6, None), (11, "longest_first", "right", 2, 3), (8, "longest_first", "left", 3, 17),
                               (14, "only_first", "right", 17, 2), (40, "only_second", "left", 2, 17), (6, "only_first", "right", 0, 2)):
        t.enable_truncation(n, strategy=how, direction=side)
        e = safely(lambda: t.encode(TEXTS[a], TEXTS[b]) if b is not None else t.encode(TEXTS[a]))
        t.no_truncation()
        rows.append({"a": TEXTS[a], **({"b": TEXTS[b]} if b is not None else {}), "max": n, "how": how, "side": side, "ids": get(e, "ids")})
    for x in rows if name == "shared-ids" else (): x.pop("dec", 0), x.pop("skip", 0)  # what they decode to is random
    with open(name + ".jsonl", "w", encoding="utf-8") as f:
        for x in rows: f.write(json.dumps(x, ensure_ascii=False, separators=(",", ":")) + "\n")

# ---- vocabularies that are no tokenizer.json: sentencepiece's and tiktoken's own answers ----

import tiktoken

def sentencepiece_model(name, **kw):
    open("/tmp/rules.tsv", "w").write("".join(" ".join(f"{ord(c):X}" for c in k) + "\t" + " ".join(f"{ord(c):X}" for c in v) + "\n"
                                               for k, v in {"Ａ": "A", "½": "1/2", "e\u0301": "é", "ｶﾞ": "ガ", "ｶ": "カ", "\u3000": " ", "\t": " ", "ß": "ss"}.items()))
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(CORPUS), model_prefix=name, hard_vocab_limit=False, normalization_rule_tsv="/tmp/rules.tsv", minloglevel=2,
                                             num_threads=1, **kw)
    import os; os.remove(name + ".vocab")
    return sentencepiece.SentencePieceProcessor(model_file=name + ".model")

def answers(file, encode, decode):
    with open(file.rsplit(".", 1)[0] + ".jsonl", "w", encoding="utf-8") as f:
        for x in TEXTS:
            if "\x00" in x: continue
            ids = encode(x)
            f.write(json.dumps({"t": x, "ids": ids, "dec": decode(ids)}, ensure_ascii=False, separators=(",", ":")) + "\n")

for name, kw in {"spm-unigram": dict(vocab_size=260, model_type="unigram", user_defined_symbols=["<tool>", "mill", "."]),
                 "spm-unigram-bytes": dict(vocab_size=520, model_type="unigram", byte_fallback=True, treat_whitespace_as_suffix=True),
                 "spm-bpe": dict(vocab_size=300, model_type="bpe", user_defined_symbols=["<tool>", "mill", "▁▁"], add_dummy_prefix=False),
                 "spm-bpe-bytes": dict(vocab_size=560, model_type="bpe", byte_fallback=True, remove_extra_whitespaces=False, split_digits=True),
                 "spm-word": dict(vocab_size=80, model_type="word", user_defined_symbols=["<tool>", "mill"], add_dummy_prefix=False),
                 "spm-char": dict(vocab_size=160, model_type="char", user_defined_symbols=["<tool>", "mill", "▁▁"])}.items():
    if len(sys.argv) > 1 and name not in sys.argv: continue
    sp = sentencepiece_model(name, **kw)
    answers(name + ".model", sp.encode, sp.decode)

if len(sys.argv) > 1: sys.exit()

# The byte pairs of byte-gpt2 as ranks, under the rule of cl100k.
model = made["byte-gpt2"]["model"]
char_of = {v: k for k, v in ((b, c) for b, c in zip(
    [*range(33, 127), *range(161, 173), *range(174, 256), *range(33), *range(127, 161), 173],
    [*map(chr, range(33, 127)), *map(chr, range(161, 173)), *map(chr, range(174, 256)), *map(chr, range(256, 324))]))}
tokens = [bytes(char_of[c] for c in t) for t, _ in sorted(model["vocab"].items(), key=lambda x: x[1]) if t not in ("<s>", "</s>")]
ranks = {t: i for i, t in enumerate(tokens)}
with open("tik-cl100k.tiktoken", "wb") as f:
    for t, i in ranks.items(): f.write(base64.b64encode(t) + b" %d\n" % i)
e = tiktoken.Encoding("x", pat_str=CL100K, mergeable_ranks=ranks, special_tokens={})
answers("tik-cl100k.tiktoken", e.encode_ordinary, e.decode)

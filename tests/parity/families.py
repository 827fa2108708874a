"""The kinds of tokenizer.json that model families have, over small vocabularies learnt here: {name: tree}. tokenizer.py compares them all."""
import json, random
from tokenizers import Tokenizer, models as M, trainers as R, pre_tokenizers as P, normalizers as N

CL100K = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN = CL100K.replace("{1,3}", "")
QWEN35 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
O200K = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+"
         r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
TEKKEN = O200K.replace("(?i:'s|'t|'re|'ve|'m|'ll|'d)?", "").replace("{1,3}", "")
KIMI = (r"[\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}|"
        r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
DEEP_CODE = [r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", r"[一-龥ࠀ-一가-퟿]+"]
DEEP_LLM = [r"[\r\n]", r"\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-Ֆ]+", r"\s?[!-/:-~！-／：-～‘-‟　-。]+", r"\s+$", r"[一-龥ࠀ-一가-퟿]+"]
DEEP_V3 = [r"\p{N}{1,3}", r"[一-龥぀-ゟ゠-ヿ]+", r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"]
BLOOM = r" ?[^(\s|[.,!?…。，、।۔،])]+"
CLIP = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"

def split(regex, how="Isolated", invert=False): return {"type": "Split", "pattern": {"Regex": regex}, "behavior": how, "invert": invert}
def byte_level(prefix=False, use_regex=True, trim=True): return {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": trim, "use_regex": use_regex}
def seq(kind, *parts): return {"type": "Sequence", kind: list(parts)}
def pre(*parts): return seq("pretokenizers", *parts)
def norm(*parts): return seq("normalizers", *parts)
def split_bytes(*regexes): return pre(*(split(r) for r in regexes), byte_level(use_regex=False))
def replace(a, b, regex=False): return {"type": "Replace", "pattern": {"Regex" if regex else "String": a}, "content": b}
def meta(scheme="always", cut=True): return {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": cut}
def bert(**kw): return {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True, **kw}
def template(single, pair, ids):
    def items(s): return [{"Sequence": {"id": x[1], "type_id": int(x[3:] or 0)}} if x[0] == "$" else {"SpecialToken": {"id": x.split("::")[0], "type_id": int((x.split("::") + ["0"])[1])}}
                          for x in s.split()]
    return {"type": "TemplateProcessing", "single": items(single), "pair": items(pair), "special_tokens": {t: {"id": t, "ids": [i], "tokens": [t]} for t, i in ids.items()}}
def added(i, content, special=True, **kw): return {"id": i, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, **kw, "special": special}

SP_DECODER = seq("decoders", replace("▁", " "), {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0})
GEMMA_DECODER = seq("decoders", replace("▁", " "), {"type": "ByteFallback"}, {"type": "Fuse"})
BYTE_DECODER = byte_level(True)

def families(lines, charsmaps):
    def learn(model, trainer, pre_tokenizer, normalizer=None):
        t = Tokenizer(model)
        t.pre_tokenizer = pre_tokenizer
        if normalizer: t.normalizer = normalizer
        t.train_from_iterator(lines, trainer)
        return json.loads(t.to_str())["model"]
    first = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    bytes_ = [f"<0x{b:02X}>" for b in range(256)]
    byte = learn(M.BPE(), R.BpeTrainer(vocab_size=900, show_progress=False, initial_alphabet=P.ByteLevel.alphabet(), special_tokens=first), P.ByteLevel(add_prefix_space=False))
    clip = learn(M.BPE(end_of_word_suffix="</w>", unk_token="<|endoftext|>"), R.BpeTrainer(vocab_size=1200, show_progress=False, initial_alphabet=P.ByteLevel.alphabet(),
                 end_of_word_suffix="</w>", special_tokens=["<|startoftext|>", "<|endoftext|>"]), P.ByteLevel(add_prefix_space=False), N.Lowercase())
    sp = learn(M.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True), R.BpeTrainer(vocab_size=1400, show_progress=False, limit_alphabet=150,
               special_tokens=["<unk>", "<s>", "</s>"] + bytes_), P.Metaspace())
    word = learn(M.WordPiece(unk_token="[UNK]"), R.WordPieceTrainer(vocab_size=900, show_progress=False, limit_alphabet=400,
                 special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]), P.BertPreTokenizer(), N.BertNormalizer())
    uni = learn(M.Unigram(), R.UnigramTrainer(vocab_size=700, show_progress=False, special_tokens=first, unk_token="<unk>"), P.Metaspace())
    level = learn(M.WordLevel(unk_token="[UNK]"), R.WordLevelTrainer(vocab_size=300, show_progress=False, special_tokens=["[UNK]", "[PAD]"]), P.Whitespace())
    ends = learn(M.BPE(unk_token="<unk>", end_of_word_suffix="</w>"), R.BpeTrainer(vocab_size=900, show_progress=False, limit_alphabet=150, end_of_word_suffix="</w>",
                 special_tokens=["<unk>"]), P.BertPreTokenizer(), N.BertNormalizer())
    cs = charsmaps or [None]
    out = {}
    def put(name, model, normalizer, pre_tokenizer, post=None, decoder=None, tokens=(), **kw):
        out[name] = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": list(tokens), "normalizer": normalizer, "pre_tokenizer": pre_tokenizer,
                     "post_processor": post, "decoder": decoder, "model": {**model, **kw}}
    nfc = {"type": "NFC"}
    five = [added(i, t, lstrip=t == "<mask>") for i, t in enumerate(first)]
    chat = five + [added(2000 + i, t, special=i < 3) for i, t in enumerate(["<|im_start|>", "<|im_end|>", "<|endoftext|>", "<think>", "</think>", "<tool_call>"])]
    runs = [added(3000 + i, " " * i, special=False, normalized=True) for i in range(2, 25)] + [added(3030 + i, "\t" * i, special=False, normalized=True) for i in range(2, 9)]
    bos = template("<s> $A", "<s> $A <s>::1 $B:1", {"<s>": 0})
    put("gpt2", byte, None, byte_level(), byte_level(trim=False), BYTE_DECODER, five[:1])
    put("opt", byte, None, byte_level(), template("</s> $A", "</s> $A </s> $B", {"</s>": 2}), BYTE_DECODER, [added(2, "</s>", normalized=True)])
    put("roberta", byte, None, byte_level(), {"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 0], "trim_offsets": True, "add_prefix_space": False}, BYTE_DECODER, five)
    put("longformer-prefix", byte, None, byte_level(True), {"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 0], "trim_offsets": True, "add_prefix_space": True}, BYTE_DECODER, five)
    put("deberta", byte, None, byte_level(), template("<s> $A </s>", "<s> $A </s> $B:1 </s>::1", {"<s>": 0, "</s>": 2}), BYTE_DECODER, five)
    put("neox", byte, nfc, byte_level(), byte_level(), BYTE_DECODER, five[:1] + runs)
    put("whisper", byte, None, byte_level(), template("<|en|> <|notimestamps|> $A <s>", "<|en|> <|notimestamps|> $A $B <s>", {"<|en|>": 2000, "<|notimestamps|>": 2001, "<s>": 0}), BYTE_DECODER,
        [added(2000, "<|en|>"), added(2001, "<|notimestamps|>")] + [added(2002 + i, f"<|{i / 50:.2f}|>", special=False) for i in range(40)])
    put("bloom", byte, None, pre(split(BLOOM), byte_level(use_regex=False)), byte_level(), BYTE_DECODER, five)
    put("llama3", byte, None, split_bytes(CL100K), seq("processors", byte_level(), bos), BYTE_DECODER, chat, ignore_merges=True)
    put("qwen2", byte, nfc, split_bytes(QWEN), byte_level(use_regex=False, trim=False), byte_level(use_regex=False, trim=False), chat)
    put("qwen3.5", byte, nfc, split_bytes(QWEN35), byte_level(use_regex=False, trim=False), byte_level(use_regex=False, trim=False), chat)
    put("o200k", byte, None, split_bytes(O200K), byte_level(), BYTE_DECODER, chat, ignore_merges=True)
    put("phi-4", byte, None, split_bytes(CL100K), byte_level(), BYTE_DECODER, [added(2000 + i, t, lstrip=True, rstrip=True) for i, t in enumerate(["<|endoftext|>", "<|im_start|>", "<|im_sep|>"])])
    put("tekken", byte, None, split_bytes(TEKKEN), bos, BYTE_DECODER, chat, ignore_merges=True)
    put("kimi", byte, None, split_bytes(KIMI), None, BYTE_DECODER, chat)
    put("glm4", byte, None, split_bytes(CL100K), seq("processors", byte_level(), template("<s> <mask> $A", "<s> <mask> $A $B:1", {"<s>": 0, "<mask>": 4})), BYTE_DECODER, chat)
    put("deepseek-coder", byte, norm(), pre(*(split(r) for r in DEEP_CODE), {"type": "Digits", "individual_digits": True}, byte_level(use_regex=False)), bos, BYTE_DECODER,
        five + [added(2000, "ü", special=False, normalized=True), added(2001, "ﬁ", special=False, normalized=True), added(2002, "<｜fim▁hole｜>", special=False)])
    put("deepseek-llm", byte, norm(), pre(*(split(r) for r in DEEP_LLM), {"type": "Digits", "individual_digits": True}, byte_level(use_regex=False)), bos, BYTE_DECODER, chat)
    put("deepseek-v3", byte, norm(), split_bytes(*DEEP_V3), bos, BYTE_DECODER, chat + [added(2100, "<｜User｜>", special=False), added(2101, "<｜place▁holder▁no▁1｜>")])
    put("starcoder2", byte, None, pre({"type": "Digits", "individual_digits": True}, byte_level()), None, BYTE_DECODER, chat)
    put("command-r", byte, nfc, pre({"type": "Digits", "individual_digits": True}, byte_level()), bos, BYTE_DECODER, chat)
    put("falcon", byte, None, pre({"type": "Punctuation", "behavior": "Contiguous"}, byte_level(), {"type": "Digits", "individual_digits": False}, split("[0-9][0-9][0-9]")), None, BYTE_DECODER, chat)
    put("exaone", byte, {"type": "NFKC"}, split_bytes(CL100K), None, BYTE_DECODER, chat)
    put("nougat", byte, norm({"type": "NFKC"}), pre(split(r"\n", "Isolated"), {"type": "Digits", "individual_digits": True}, {"type": "Punctuation", "behavior": "Isolated"}, byte_level()), None, BYTE_DECODER, five)
    put("byte-normalizer", byte, norm(nfc, {"type": "ByteLevel"}), split(r"Ġ?[^Ġ]+"), None, BYTE_DECODER, five)
    put("clip", clip, norm(nfc, replace(r"\s+", " ", True), {"type": "Lowercase"}), pre(split(CLIP, "Removed", True), byte_level()),
        {"type": "RobertaProcessing", "sep": ["<|endoftext|>", 1], "cls": ["<|startoftext|>", 0], "trim_offsets": False, "add_prefix_space": False}, BYTE_DECODER,
        [added(0, "<|startoftext|>", normalized=True), added(1, "<|endoftext|>")])
    sp3 = [added(0, "<unk>"), added(1, "<s>"), added(2, "</s>")]
    sbos = template("<s> $A", "<s> $A <s>::1 $B:1", {"<s>": 1})
    prepend = norm({"type": "Prepend", "prepend": "▁"}, replace(" ", "▁"))
    put("llama2", sp, prepend, None, sbos, SP_DECODER, [{**t, "normalized": True} for t in sp3])
    put("codellama", sp, prepend, None, sbos, SP_DECODER, sp3 + [added(2000 + i, t) for i, t in enumerate(["▁<PRE>", "▁<SUF>", "▁<MID>", "▁<EOT>"])])
    put("phi-3", sp, prepend, None, sbos, SP_DECODER, sp3 + [added(2000 + i, t, rstrip=True) for i, t in enumerate(["<|user|>", "<|end|>", "<|assistant|>"])])
    put("llama2-first", sp, None, meta("first", False), sbos, SP_DECODER, sp3)
    put("llama2-never", sp, None, meta("never", False), sbos, GEMMA_DECODER, sp3)
    put("mistral", sp, None, meta("first", False), sbos, SP_DECODER, sp3 + [added(2000, "[INST]"), added(2001, "[/INST]"), added(2002, "[control_8]")])
    put("yi", sp, norm(replace(" ", "▁")), None, None, GEMMA_DECODER, sp3 + chat[5:])
    put("gemma", sp, replace(" ", "▁"), {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False}, sbos, GEMMA_DECODER,
        sp3 + [added(2000 + i, "\n" * i, special=False) for i in range(1, 5)] + [added(2010 + i, "▁" * i, special=False) for i in range(2, 9)] + [added(2030, "<start_of_turn>"), added(2031, "<table>", special=False)])
    put("gemma-ignore", sp, replace(" ", "▁"), None, sbos, GEMMA_DECODER, sp3, ignore_merges=True)
    bert_post = template("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]::1", {"[CLS]": 2, "[SEP]": 3})
    b5 = [added(i, t) for i, t in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])]
    wp = {"type": "WordPiece", "prefix": "##", "cleanup": True}
    put("bert-uncased", word, bert(), {"type": "BertPreTokenizer"}, bert_post, wp, b5)
    put("bert-cased", word, bert(lowercase=False), {"type": "BertPreTokenizer"}, bert_post, wp, b5)
    put("bert-accents", word, bert(strip_accents=False), {"type": "BertPreTokenizer"}, {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]}, wp, b5)
    put("bert-no-chinese", word, bert(handle_chinese_chars=False, lowercase=False, strip_accents=True), {"type": "BertPreTokenizer"}, bert_post, wp, b5)
    put("mpnet", word, bert(), {"type": "BertPreTokenizer"}, {"type": "RobertaProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2], "trim_offsets": True, "add_prefix_space": False}, wp,
        [{**t, "lstrip": t["content"] == "[MASK]", "normalized": t["content"] != "[MASK]"} for t in b5])
    put("electra-ko", word, bert(clean_text=False, lowercase=False), {"type": "BertPreTokenizer"}, bert_post, {**wp, "cleanup": False}, b5)
    put("openai-gpt", ends, bert(), {"type": "BertPreTokenizer"}, None, {"type": "BPEDecoder", "suffix": "</w>"}, [added(0, "<unk>", normalized=True)])
    put("herbert", ends, bert(lowercase=False, clean_text=True, strip_accents=False), {"type": "BertPreTokenizer"}, None, {"type": "BPEDecoder", "suffix": "</w>"}, [added(0, "<unk>")])
    put("ctc", level, None, split("", "Isolated"), None, {"type": "CTC", "pad_token": "[PAD]", "word_delimiter_token": "|", "cleanup": True}, [added(0, "[UNK]"), added(1, "[PAD]")])
    put("word-level", level, norm({"type": "Lowercase"}, {"type": "StripAccents"}), {"type": "Whitespace"}, None, None, [added(0, "[UNK]")])
    xlm_post = template("<s> $A </s>", "<s> $A </s> </s> $B </s>", {"<s>": 0, "</s>": 2})
    md = meta()
    two = replace(" {2,}", " ", True)
    for k, c in enumerate(cs[:3]):
        pc = {"type": "Precompiled", "precompiled_charsmap": c} if c else {"type": "NFKC"}
        put(f"xlm-r-{k}", uni, pc, pre({"type": "WhitespaceSplit"}, meta()), xlm_post, md, five, unk_id=3)
        put(f"xlm-r-new-{k}", uni, norm(pc, two), meta(), xlm_post, md, five, unk_id=3)
        put(f"t5-{k}", uni, pc, pre({"type": "WhitespaceSplit"}, meta()), template("$A </s>", "$A </s> $B </s>", {"</s>": 2}), md, five + [added(2000 + i, f"<extra_id_{i}>") for i in range(9)], unk_id=3)
        put(f"t5-first-{k}", uni, pc, meta("first"), template("$A </s>", "$A </s> $B </s>", {"</s>": 2}), meta("first"), five + [added(2000, "<extra_id_0>", rstrip=True)], unk_id=3)
        put(f"umt5-{k}", uni, norm(pc, two, {"type": "Strip", "strip_left": False, "strip_right": True}), meta(), template("$A </s>", "$A </s> $B </s>", {"</s>": 2}), md, five, unk_id=3)
        put(f"pegasus-{k}", uni, norm(pc, two), pre({"type": "WhitespaceSplit"}, meta()), template("$A </s>", "$A $B </s>", {"</s>": 2}), md, five + [added(2000, "<mask_1>"), added(2001, "<unk_2>")], unk_id=3)
        put(f"nllb-{k}", uni, norm(pc, replace(r"\s+", " ", True)), meta(), template("eng_Latn $A </s>", "eng_Latn $A $B </s>", {"eng_Latn": 2000, "</s>": 2}), md, five + [added(2000, "eng_Latn")], unk_id=3)
        put(f"albert-{k}", uni, norm(replace("``", '"'), replace("''", '"'), {"type": "NFKD"}, {"type": "StripAccents"}, {"type": "Lowercase"}, pc, two), pre({"type": "WhitespaceSplit"}, meta()),
            template("<s> $A </s>", "<s> $A </s> $B:1 </s>::1", {"<s>": 0, "</s>": 2}), md, five, unk_id=3)
        put(f"xlnet-{k}", uni, norm(replace("``", '"'), replace("''", '"'), {"type": "NFKD"}, {"type": "StripAccents"}, pc, two), pre({"type": "WhitespaceSplit"}, meta()),
            template("$A </s> <s>::2", "$A </s> $B:1 </s>::1 <s>::2", {"<s>": 0, "</s>": 2}), md, five, unk_id=3)
        put(f"deberta-v3-{k}", uni, norm({"type": "Strip", "strip_left": True, "strip_right": True}, pc, two), pre(meta()), xlm_post, md, five + [added(2000, "[MASK]", lstrip=False, normalized=True)], unk_id=3)
        put(f"deberta-v2-lower-{k}", uni, norm({"type": "Lowercase"}, pc, two), pre({"type": "Punctuation", "behavior": "Isolated"}, meta()), xlm_post, md, five, unk_id=3)
        put(f"siglip-{k}", uni, norm({"type": "Lowercase"}, replace(r"""[!"\#\$%\&'\(\)\*\+,\-\.:;=\?@\[\\\]\^_`\{\|\}\~]""", "", True), replace(r"\s+", " ", True), {"type": "Strip", "strip_left": True, "strip_right": True}, pc),
            meta(), template("$A </s>", "$A </s> $B </s>", {"</s>": 2}), md, five, unk_id=3)
        put(f"camembert-{k}", uni, norm(replace("\n", " "), replace("\r", " "), replace("\t", " "), {"type": "Strip", "strip_left": False, "strip_right": True}, pc, two), meta(), xlm_post, md, five, unk_id=3)
    put("nmt-nfkc", uni, norm({"type": "Nmt"}, {"type": "NFKC"}, two), meta(), xlm_post, md, five, unk_id=3)
    put("reformer", sp, norm({"type": "Nmt"}, {"type": "NFKC"}, two), meta(), None, md, sp3)
    bytes_uni = {**uni, "vocab": uni["vocab"] + [[b, -13.0] for b in bytes_], "byte_fallback": True}
    put("unigram-bytes", bytes_uni, norm(replace(" ", "▁")), None, xlm_post, SP_DECODER, five, unk_id=3)
    put("unigram-bytes-first", bytes_uni, None, meta("first", False), xlm_post, SP_DECODER, five, unk_id=3)
    return out

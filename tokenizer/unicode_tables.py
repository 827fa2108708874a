#!/usr/bin/env python3
"""Writes unicode_class_tables.h and unicode_form_tables.h: the character classes, and the normal forms, that Hugging Face tokenizers 0.23 computes with.

That library uses several Unicode versions at once (its regex engine 16.0, its normal forms 12.0 or older, Rust's own tables 17.0,
an old table for punctuation), so no single Unicode database gives its results. The input is a folder of listings made by
asking the library itself about every scalar value: NAME.txt with ranges `a..b` in hex, norm_FORM.tsv with `char<TAB>chars`.

Usage: unicode_tables.py FOLDER TO      (needs the packages `tokenizers` and `sentencepiece`; TO: the folder of the files written)
"""
import os, sys, unicodedata

folder = sys.argv[1]

def begin(name):
    f = open(os.path.join(sys.argv[2], name), "w")
    print("/* Made by unicode_tables.py; facts of the Unicode Character Database (Unicode, Inc.). */", file=f)
    print("#include <stdint.h>\n", file=f)
    return f

classes, forms = begin("unicode_class_tables.h"), begin("unicode_form_tables.h")
# The order is that of the bits in unicode.h.
CLASSES = ["onig_Lu", "onig_Ll", "onig_Lt", "onig_Lm", "onig_Lo", "onig_Mn", "onig_M", "onig_Nd", "onig_N", "onig_P",
           "onig_S", "onig_space", "word", "hf_Punctuation", "hf_Digits", "onig_Han"]

def ranges(name):
    for line in open(os.path.join(folder, name + ".txt")):
        line = line.strip()
        if line:
            a, _, b = line.partition("..")
            yield int(a, 16), int(b or a, 16)

def emit_two_stage(name, ctype, values, shift):
    size = 1 << shift
    blocks, index = {}, []
    for i in range(0, len(values), size):
        index.append(blocks.setdefault(tuple(values[i:i + size]), len(blocks)))
    assert len(blocks) < 65536
    emit(classes, f"const uint16_t {name}_index[{len(index)}]", index)
    flat = [v for b in blocks for v in b]
    emit(classes, f"const {ctype} {name}_data[{len(flat)}]", flat)

def emit(to, decl, values):
    print(f"{decl} = {{", file=to)
    line = ""
    for v in values:
        s = f"{v},"
        if len(line) + len(s) > 118:
            print(line, file=to); line = ""
        line += s
    print(line + "};", file=to)

def words():
    """\\w of Rust's regex crate, which is not Oniguruma's: what the Whitespace pre-tokenizer does not cut from a letter."""
    from tokenizers import pre_tokenizers
    cut = pre_tokenizers.Whitespace().pre_tokenize_str
    for c in range(0x110000):
        if not 0xD800 <= c < 0xE000 and len(cut("a" + chr(c))) == 1 and cut(chr(c)):
            yield c, c

flags = [0] * 0x110000
for bit, name in enumerate(CLASSES):
    for a, b in words() if name == "word" else ranges(name):
        for c in range(a, b + 1):
            flags[c] |= 1 << bit

emit_two_stage("uc_class", "uint16_t", flags, 7)  # read inline by unicode.h

def mapping(form):
    m = {}
    for line in open(os.path.join(folder, f"norm_{form}.tsv")):
        a, _, b = line.rstrip("\n").partition("\t")
        m[int(a, 16)] = [int(x, 16) for x in b.split()]
    return m

def emit_map(name, m, skip=lambda c: False):
    """Sorted keys, an offset for each, and a pool of code points."""
    keys = sorted(k for k in m if not skip(k))
    pool, offset, seen = [], [], {}
    for k in keys:
        v = tuple(m[k])
        if v not in seen:
            seen[v] = len(pool); pool.extend(v)
        offset.append(seen[v] << 5 | len(v)); assert len(v) < 32
    emit(forms, f"static const uint32_t {name}_key[{len(keys)}]", keys)
    emit(forms, f"static const uint32_t {name}_at[{len(keys)}]", offset)
    emit(forms, f"static const uint32_t {name}_pool[{len(pool) or 1}]", pool or [0])

hangul = lambda c: 0xAC00 <= c <= 0xD7A3  # computed, not stored
# What StripAccents drops: combining marks by that crate's own, older table.
runs = []
for c in sorted(mapping("StripAccents")):
    if runs and runs[-1][1] == c - 1:
        runs[-1][1] = c
    else:
        runs.append([c, c])
emit(classes, f"static const uint32_t uc_accent[{2 * len(runs)}]", [x for r in runs for x in r])

nfd, nfkd, nfc = mapping("NFD"), mapping("NFKD"), mapping("NFC")
emit_map("uc_nfd", nfd, hangul)
emit_map("uc_nfkd", nfkd, hangul)
emit_map("uc_lower", mapping("Lowercase"))

# Combining classes by trial: does the library move the character before a mark of class 255 or behind one of class 0?
from tokenizers import normalizers
nfd_of = normalizers.NFD().normalize_str
ccc = {}
for c in range(0x110000):
    k = unicodedata.combining(chr(c)) if not 0xD800 <= c < 0xE000 else 0
    if k:  # U+0345 has class 240, U+0334 class 1: one of them changes places with c if the library gives c a class
        moved = nfd_of("a\u0345" + chr(c)) != "a\u0345" + "".join(map(chr, nfd.get(c, [c]))) if k < 240 else \
                nfd_of("a" + chr(c) + "\u0334") != "a" + "".join(map(chr, nfd.get(c, [c]))) + "\u0334"
        if moved:
            ccc[c] = k
keys = sorted(ccc)
emit(forms, f"static const uint32_t uc_ccc_key[{len(keys)}]", keys)
emit(forms, f"static const uint8_t uc_ccc_value[{len(keys)}]", [ccc[k] for k in keys])

# Compositions: canonical pairs whose composite stays itself under NFC. A full decomposition gives the pair by one step back.
pairs = []
inverse = {tuple(v): k for k, v in nfd.items()}
for c, d in nfd.items():
    if hangul(c) or len(d) < 2 or c in nfc:
        continue
    first = tuple(d[:-1])
    head = first[0] if len(first) == 1 else next((k for k, v in nfd.items() if tuple(v) == first and k not in nfc), None)
    if head is not None:
        pairs.append((head << 21 | d[-1], c))
pairs.sort()
emit(forms, f"static const uint64_t uc_pair_key[{len(pairs)}]", [f"{k}u" for k, _ in pairs])
emit(forms, f"static const uint32_t uc_pair[{len(pairs)}]", [c for _, c in pairs])

# Scripts as the UnicodeScripts pre-tokenizer has them, numbered as they come; 0 is its "Any", which goes with every other.
from tokenizers import pre_tokenizers
cut = pre_tokenizers.UnicodeScripts().pre_tokenize_str
script = [0] * 0x110000
known = []  # a character of each
scalars = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
for piece, (a, b) in cut("".join(map(chr, scalars))):
    # Inside a piece all have the first one's script, or none: one of none leaves no piece when it stands alone.
    first = piece[0]
    k = next((i for i, r in enumerate(known) if len(cut(r + first)) == 1), None)
    if k is None:
        k = len(known); known.append(first)
    for ch in piece:
        if cut(ch):
            script[ord(ch)] = k + 1
assert len(known) < 255
emit_two_stage("uc_script", "uint8_t", script, 7)

def emit_runs(name, keep):
    """Sorted ranges of the scalars for which keep holds."""
    out = []
    for c in scalars:
        if keep(chr(c)):
            if out and out[-1][1] == c - 1:
                out[-1][1] = c
            else:
                out.append([c, c])
    emit(classes, f"static const uint32_t {name}[{2 * len(out)}]", [x for r in out for x in r])

# What BertNormalizer drops as control characters and as accents, by the old tables of a crate of its own.
clean = normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=False, strip_accents=False, lowercase=False).normalize_str
plain = normalizers.BertNormalizer(clean_text=False, handle_chinese_chars=False, strip_accents=True, lowercase=False).normalize_str
emit_runs("uc_control", lambda c: clean("a" + c + "b") == "ab")
emit_runs("uc_bert_mark", lambda c: ord(c) not in nfd and plain("a" + c + "b") == "ab")

# Where grapheme clusters go on, as the Precompiled normalizer sees it: it replaces a short cluster as a whole, so ½ and a character that
# goes with it become 1/2, and é does not come of e and an accent in a longer cluster. (Any charsmap with NFKC in it shows this.)
import io
import sentencepiece

def fields(b):
    """The length-delimited fields of a protobuf message, by number; the last of each."""
    def varint(i):
        v = s = 0
        while True:
            v |= (b[i] & 127) << s; s += 7; i += 1
            if b[i - 1] < 128: return v, i
    i, out = 0, {}
    while i < len(b):
        key, i = varint(i)
        if key & 7 == 2:
            n, i = varint(i); out[key >> 3] = b[i:i + n]; i += n
        elif key & 7 == 0: _, i = varint(i)
        else: i += 4 if key & 7 == 5 else 8
    return out

trained = io.BytesIO()
sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(["a b c d e f g"] * 50), model_writer=trained, vocab_size=12, model_type="unigram",
                                         hard_vocab_limit=False, minloglevel=2)
nfkc = normalizers.Precompiled(fields(fields(trained.getvalue())[3])[2]).normalize_str  # normalizer_spec.precompiled_charsmap
emit_runs("uc_attached", lambda c: nfkc("½" + c) == nfkc("½") if ord(c) < 0x10000 else nfkc("e\u0301" + c) != "é" + nfkc(c))
emit_runs("uc_prepended", lambda c: "é" not in nfkc(c + "e\u0301") and "e\u0301" in nfkc(c + "e\u0301"))

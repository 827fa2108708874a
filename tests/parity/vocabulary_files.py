#!/usr/bin/env python3
""".model and .tiktoken files against the installed sentencepiece and tiktoken: ids and decoded text of fresh random texts, on the files of
$TEST_DATA and on models trained here with every option that is supported.   Usage: vocabulary_files.py [--texts N] [--seed N]"""
import argparse, base64, glob, json, os, random, subprocess, sys, tempfile
import sentencepiece, tiktoken

ap = argparse.ArgumentParser()
ap.add_argument("--texts", type=int, default=3000)
ap.add_argument("--seed", type=int, default=None)
args = ap.parse_args()
seed = args.seed if args.seed is not None else random.SystemRandom().randrange(10 ** 9)
DATA = os.environ.get("TEST_DATA", "")

# The texts are those of tokenizer.py.
n_texts = args.texts
sys.argv = ["tokenizer.py", "--seed", str(seed)]
source = open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "tokenizer.py"), encoding="utf-8").read()
exec(source.split("# ---- tokenizers put together")[0])
rng.seed(seed)
texts = [t for t in (text(["<s>", "▁the", "<tool>", "fox's"]) for _ in range(n_texts)) if "\x00" not in t]
wrong = 0

def ours(tool, model, rows, *opts):
    with tempfile.NamedTemporaryFile() as bad:
        p = subprocess.run([tool, "-q", "-m", model, "--bad", bad.name, *opts], capture_output=True,
                           input="".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows).encode())
    if p.returncode: print(p.stderr.decode(errors="replace").strip())
    return {x["n"]: x for x in map(json.loads, p.stdout.splitlines())}

def compare(name, model, encode, decode, *opts):
    global wrong
    want = [encode(t) for t in texts]
    ids = ours("tokenize", model, [{"n": i, "text": t} for i, t in enumerate(texts)], "--append-eos=no", *opts)
    back = ours("detokenize", model, [{"n": i, "input_ids": w} for i, w in enumerate(want)], *opts)
    a = [i for i, w in enumerate(want) if ids.get(i, {}).get("input_ids") != w]
    b = [i for i, w in enumerate(want) if back.get(i, {}).get("text") != decode(w)]
    for i in a[:2]: print(f"  ids of {texts[i]!r:.200}: want {want[i]!r:.200} got {ids.get(i, {}).get('input_ids')!r:.200}")
    for i in b[:2]: print(f"  text of {want[i]!r:.200}: want {decode(want[i])!r:.200} got {back.get(i, {}).get('text')!r:.200}")
    print(f"{name}: {len(texts)} texts, {len(a)} ids differ, {len(b)} decodings differ")
    wrong += len(a) + len(b)

with tempfile.TemporaryDirectory() as tmp:
    lines = [" ".join(rng.choice(WORDS) for _ in range(9)) for _ in range(1500)]
    for name, kw in {"unigram": dict(model_type="unigram", vocab_size=500),
                     "unigram-bytes": dict(model_type="unigram", vocab_size=800, byte_fallback=True, user_defined_symbols=["<tool>", "fox", "  ", "ab"]),
                     "unigram-suffix": dict(model_type="unigram", vocab_size=500, treat_whitespace_as_suffix=True, normalization_rule_name="nmt_nfkc_cf", character_coverage=0.98),
                     "bpe": dict(model_type="bpe", vocab_size=500, user_defined_symbols=["<tool>", "fox's", "  "]),
                     "bpe-identity": dict(model_type="bpe", vocab_size=900, byte_fallback=True, normalization_rule_name="identity", remove_extra_whitespaces=False),
                     "bpe-no-prefix": dict(model_type="bpe", vocab_size=900, add_dummy_prefix=False, character_coverage=0.98),
                     "word": dict(model_type="word", vocab_size=100, user_defined_symbols=["<tool>", "fox's", "▁the"]),
                     "word-plain": dict(model_type="word", vocab_size=100, add_dummy_prefix=False, remove_extra_whitespaces=False, normalization_rule_name="identity"),
                     "char": dict(model_type="char", vocab_size=120, user_defined_symbols=["<tool>", "fox's", "▁the"]),
                     "char-bytes": dict(model_type="char", vocab_size=400, byte_fallback=True, remove_extra_whitespaces=False),
                     "bpe-llama": dict(model_type="bpe", vocab_size=900, byte_fallback=True, normalization_rule_name="identity", split_digits=True,
                                       allow_whitespace_only_pieces=True, remove_extra_whitespaces=False, user_defined_symbols=["\n", "▁▁"])}.items():
        sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(lines), model_prefix=f"{tmp}/{name}", hard_vocab_limit=False, minloglevel=2, **kw)
    for m in sorted(glob.glob(tmp + "/*.model") + glob.glob(DATA + "/tokenizers/*/*.model")):
        sp = sentencepiece.SentencePieceProcessor(model_file=m)
        compare(os.path.relpath(m, tmp if m.startswith(tmp) else DATA + "/tokenizers"), m, sp.encode, sp.decode)
    for m in sorted(glob.glob(DATA + "/tokenizers/*/cl100k*.tiktoken")):
        ranks = {base64.b64decode(a): int(b) for a, b in (l.split() for l in open(m, "rb"))}
        pat = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
        e = tiktoken.Encoding("x", pat_str=pat, mergeable_ranks=ranks, special_tokens={"<|endoftext|>": 100257})
        compare(os.path.basename(m), m, lambda t: e.encode(t, allowed_special="all"), e.decode)
print(f"sentencepiece {sentencepiece.__version__}, tiktoken {tiktoken.__version__}, seed {seed}: {wrong} differences")
sys.exit(wrong > 0)

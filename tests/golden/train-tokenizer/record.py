"""What the tokenizers library learns from corpus.jsonl, as it saves it.

    python record.py     (tokenizers 0.23.3)

The rarest pair merged is seen often enough that no tie is left to chance: the
library's answers do not differ between runs.
"""
import json
import os

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

here = os.path.dirname(os.path.abspath(__file__))
texts = [json.loads(line)["text"] for line in open(os.path.join(here, "corpus.jsonl"), encoding="utf-8")]

CL100K = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
          r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2 = CL100K.replace("{1,3}", "")
O200K = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def split(regex):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(regex), "isolated"),
                                    pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def byte_level(name, pre, specials, post=None, norm=None, **kw):
    t = Tokenizer(models.BPE())
    t.pre_tokenizer, t.decoder = pre, decoders.ByteLevel()
    if norm:
        t.normalizer = norm
    t.train_from_iterator(texts, trainers.BpeTrainer(
        special_tokens=specials, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False, **kw))
    if post:
        t.post_processor = post
    t.save(os.path.join(here, name + ".json"))


def sentencepiece(name, pre, prefix, **kw):
    named = ["<unk>", "<s>", "</s>"]
    t = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    t.pre_tokenizer = pre
    parts = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    t.decoder = decoders.Sequence(parts + [decoders.Strip(" ", 1, 0)] if prefix else parts)
    t.train_from_iterator(texts, trainers.BpeTrainer(
        special_tokens=named + ["<0x%02X>" % b for b in range(256)], show_progress=False, **kw))
    # The byte tokens are of the vocabulary only: text like "<0x41>" is not one of them.
    j = json.loads(t.to_str())
    j["added_tokens"] = [a for a in j["added_tokens"] if a["content"] in named]
    Tokenizer.from_str(json.dumps(j)).save(os.path.join(here, name + ".json"))


end = ["<|endoftext|>"]
byte_level("qwen2", split(QWEN2), end + ["<|im_start|>", "<|im_end|>"], vocab_size=330, min_frequency=2)
byte_level("gpt2", pre_tokenizers.ByteLevel(add_prefix_space=False), end, vocab_size=1000, min_frequency=4)
byte_level("cl100k", split(CL100K), ["<bos>"] + end, vocab_size=320, min_frequency=2, norm=normalizers.NFC(),
           post=processors.TemplateProcessing(single="<bos> $A <|endoftext|>", pair="<bos> $A <|endoftext|> <bos> $B <|endoftext|>",
                                              special_tokens=[("<bos>", 0), ("<|endoftext|>", 1)]))
byte_level("o200k", split(O200K), end, vocab_size=320, min_frequency=2, max_token_length=4)
sentencepiece("sentencepiece", pre_tokenizers.Metaspace(prepend_scheme="first"), True, vocab_size=470, min_frequency=2)
sentencepiece("never", pre_tokenizers.Sequence([pre_tokenizers.Metaspace(prepend_scheme="never"), pre_tokenizers.Digits(True)]),
              False, vocab_size=460, min_frequency=2, max_token_length=3)

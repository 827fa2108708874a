"""Makes the tokenizer of this folder: byte-level BPE over 256 bytes and 140 merges, learnt from the words below, with
ChatML's tokens. Tests of masks and templates read it.   python record.py"""
import json, os
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

here = os.path.dirname(os.path.abspath(__file__))
words = """user assistant system tool Question Answer Response Instruction please the weather in today is and what how
make this sentence right again tomorrow hello thanks number thinking call arguments name city Seoul
안녕하세요 오늘 날씨가 좋습니다 서울 질문 대답 감사합니다 맞는 문장으로 고쳐 주세요""".split()
t = Tokenizer(models.BPE())
t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
t.decoder = decoders.ByteLevel()
t.train_from_iterator([" ".join(words)] * 3 + words, trainers.BpeTrainer(
    vocab_size=396, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), min_frequency=1))
t.add_special_tokens([AddedToken(x, special=True) for x in ("<|endoftext|>", "<|im_start|>", "<|im_end|>")])
t.save(os.path.join(here, "tokenizer.json"), pretty=False)
json.dump({"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>",
           "model_max_length": 1024}, open(os.path.join(here, "tokenizer_config.json"), "w"), indent=1)

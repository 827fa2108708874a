"""Chats whose content spells control tokens: ids of chat-template | tokenize --no-specials-in-content against those of
apply_chat_template(sanitize_control_tokens=True). Equal on every row, but for those where upstream's marks, which stand in the
text while it is rendered, disturb a template that splits or strips strings: there the text itself is another."""
import collections, json, os, random, subprocess, sys
from transformers import PreTrainedTokenizerFast
from transformers.utils.chat_template_utils import _get_control_token_patterns, mark_control_tokens

tools, data = sys.argv[1:3]
counts, bad, rng = collections.Counter(), 0, random.Random(int(os.environ.get("SEED", "3")))


def template(name): return subprocess.run([tools + "/chat-template", "--show", name], capture_output=True, text=True, check=True).stdout


for model, end in ("qwen3-rebuilt", "<|endoftext|>"), ("phi-3-mini", "<|endoftext|>"), ("mistral-7b-v0.3", "</s>"), ("gpt2", "<|endoftext|>"):
    at = f"{data}/tokenizers/{model}"
    if not os.path.exists(at): continue
    tok = PreTrainedTokenizerFast(tokenizer_file=at + "/tokenizer.json", bos_token=end, eos_token=end)
    added = [t.content for t in tok.added_tokens_decoder.values()]
    for name in ("chatml", "llama3", "phi", "qwen", "zephyr"):
        text = template(name)
        words = ["hi ", "a", "\n", " ", "x<", "|>", "<tool_call>", "</think>", "<think>", "<|im_end|>", "<|im_start|>", "<|end|>", "</s>", "<s>", "[INST]", "한국", "é", "<|im_", "end|>"]
        say = lambda: "".join(rng.choice(words + [rng.choice(added)]) for _ in range(rng.randint(1, 7)))
        rows = [{"row": i, "messages": [{"role": "system", "content": say()}, {"role": "user", "content": say()}, {"role": "assistant", "content": say()}, {"role": "user", "content": say()}],
                 "chat_template_kwargs": {"bos_token": end, "eos_token": end}} for i in range(60)]
        p = subprocess.run(f"{tools}/chat-template -q --template {name} --kwarg 'bos_token=\"{end}\"' --keep | {tools}/tokenize -q -m {at} --no-specials-in-content",
                           shell=True, input="".join(json.dumps(r) + "\n" for r in rows), capture_output=True, text=True)
        if p.returncode: sys.exit(p.stderr)
        for r in map(json.loads, p.stdout.rstrip("\n").split("\n")):
            call = dict(chat_template=text)  # special tokens are its own: as arguments they would be marked
            try: want = tok.apply_chat_template(r["messages"], sanitize_control_tokens=True, return_dict=False, **call)
            except ValueError as e: counts["upstream raises"] += 1; continue
            if want == r["input_ids"]: counts["equal"] += 1; continue
            marked = mark_control_tokens(r["messages"], _get_control_token_patterns(tok._get_control_tokens(text))[0])
            shown = tok.apply_chat_template(marked, tokenize=False, **call).replace("\U000f0000", "").replace("\U000f0001", "")
            if shown != r["text"]: counts["marks disturb the template"] += 1; continue
            counts["DIFFERS"] += 1
            if counts["DIFFERS"] < 5: print(model, name, r["messages"], tok.convert_ids_to_tokens(want), tok.convert_ids_to_tokens(r["input_ids"]), sep="\n  ")
print(dict(counts))
sys.exit(counts["DIFFERS"] > 0 or not counts["equal"])

"""Records trl.jsonl: what TRL's DataCollatorForCompletionOnlyLM (removed in 0.20; here 0.18.2) makes of random
rows over a tiny alphabet, so that templates overlap, are missing, come twice or in the wrong order.

    python record.py folder-with-trl-0.18 > trl.jsonl
"""
import json, os, random, re, sys, types, warnings
import numpy as np, torch
from typing import Any, Optional, Union

src = open(os.path.join(sys.argv[1], "trl/trainer/utils.py")).read()
at = src.index("class DataCollatorForCompletionOnlyLM")
body = re.split(r"\n(?=@|class |def )", src[at:])[0]


class DataCollatorForLanguageModeling:  # the parts of transformers' that are used, for one row and no padding
    def __init__(self, mlm=False, tokenizer=None):
        self.mlm, self.tokenizer = mlm, tokenizer

    def torch_call(self, rows):
        ids = torch.tensor([r["input_ids"] for r in rows])
        return {"input_ids": ids, "labels": ids.clone()}


scope = {"DataCollatorForLanguageModeling": DataCollatorForLanguageModeling, "np": np, "torch": torch,
         "warnings": warnings, "Any": Any, "Optional": Optional, "Union": Union}
exec(body, scope)
warnings.simplefilter("ignore")
tokenizer = types.SimpleNamespace(pad_token_id=-1, eos_token_id=-2, decode=lambda ids: "")
rng = random.Random(5)
for i in range(1200):
    k = rng.choice([2, 3, 4])
    word = lambda lo, hi: [rng.randrange(k) for _ in range(rng.randint(lo, hi))]
    response = word(1, 3)
    instruction = word(1, 3) if rng.random() < 0.75 else None
    row = word(1, 12)
    for _ in range(rng.randrange(5)):
        row[rng.randrange(len(row) + 1):0] = rng.choice([response, instruction or response])
    out = scope["DataCollatorForCompletionOnlyLM"](response, instruction, tokenizer=tokenizer).torch_call([{"input_ids": row}])
    print(json.dumps({"input_ids": row, "response": response, "instruction": instruction,
                      "labels": out["labels"][0].tolist()}, separators=(",", ":")))

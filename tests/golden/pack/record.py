"""Records what TRL's pack_dataset does with documents of given lengths.

    python record.py > trl.txt

A case is two lines: "case STRATEGY LENGTH: the documents' lengths" and "rows: ...": a
row is its pieces, document+start+length, joined by commas; rows are separated
by spaces. Tokens number document and place, so that pieces can be told.
"""
import random

import trl
from datasets import Dataset
from trl.data_utils import pack_dataset

random.seed(1)
print("#", "trl", trl.__version__)
for strategy, trl_strategy, length, lengths in [
    ("bfd", "bfd", 8, [3, 5, 8, 1, 2, 4, 4, 6, 7, 2]),
    ("bfd", "bfd", 16, [random.randint(1, 16) for _ in range(60)]),
    ("bfd", "bfd", 64, [min(64, int(random.expovariate(1 / 15)) + 1) for _ in range(300)]),
    ("bfd", "bfd", 100, [random.choice([10, 20, 30, 50, 100]) for _ in range(120)]),
    ("split", "bfd_split", 16, [random.randint(1, 50) for _ in range(40)]),
    ("wrapped", "wrapped", 16, [random.randint(1, 50) for _ in range(40)]),
]:
    docs = [[d * 1000 + t for t in range(n)] for d, n in enumerate(lengths)]
    packed = pack_dataset(Dataset.from_dict({"input_ids": docs}), length, trl_strategy)
    rows = []
    for ids in packed["input_ids"]:
        pieces = []
        for t in ids:
            d, at = divmod(t, 1000)
            if pieces and pieces[-1][0] == d and pieces[-1][1] + pieces[-1][2] == at:
                pieces[-1][2] += 1
            else:
                pieces.append([d, at, 1])
        rows.append(",".join(f"{d}+{s}+{n}" for d, s, n in pieces))
    print(f"case {strategy} {length}:", *lengths)
    print("rows:", *rows)

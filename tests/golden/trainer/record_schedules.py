"""Records learning rates from transformers (5.23.0): python record_schedules.py >schedules.txt

A line: type lr warmup total | name=value ... | rate of steps 0, 1, 2, ... (repr of the double)."""
import torch
from transformers.optimization import get_scheduler

CASES = [
    ("linear", 5e-5, 0, 20, {}), ("linear", 2e-4, 3, 20, {}), ("linear", 2e-4, 20, 20, {}), ("linear", 1.0, 0, 1, {}),
    ("cosine", 2e-4, 3, 20, {}), ("cosine", 2e-4, 0, 7, {"num_cycles": 1.5}), ("cosine", 1e-3, 1, 1, {}),
    ("cosine_with_restarts", 2e-4, 3, 20, {}), ("cosine_with_restarts", 2e-4, 2, 20, {"num_cycles": 3}),
    ("polynomial", 2e-4, 3, 20, {}), ("polynomial", 2e-4, 3, 20, {"lr_end": 1e-5, "power": 2.0}),
    ("constant", 2e-4, 0, 20, {}), ("constant", 2e-4, 5, 20, {}),
    ("constant_with_warmup", 2e-4, 4, 20, {}),
    ("inverse_sqrt", 2e-4, 4, 20, {}), ("inverse_sqrt", 2e-4, 0, 20, {}), ("inverse_sqrt", 2e-4, 4, 20, {"timescale": 9}),
    ("cosine_with_min_lr", 2e-4, 3, 20, {"min_lr": 2e-5}), ("cosine_with_min_lr", 2e-4, 3, 20, {"min_lr_rate": 0.25}),
    ("cosine_warmup_with_min_lr", 2e-4, 4, 20, {"min_lr_rate": 0.1}),
    ("cosine_warmup_with_min_lr", 2e-4, 4, 20, {"min_lr": 1e-5, "warmup_lr_rate": 0.2}),
    ("warmup_stable_decay", 2e-4, 4, 20, {"num_decay_steps": 6}),
    ("warmup_stable_decay", 2e-4, 4, 20, {"num_decay_steps": 6, "num_stable_steps": 3, "min_lr_ratio": 0.1}),
    ("warmup_stable_decay", 2e-4, 4, 20, {"num_decay_steps": 6, "warmup_type": "cosine", "decay_type": "1-sqrt"}),
    ("warmup_stable_decay", 2e-4, 4, 20, {"num_decay_steps": 6, "warmup_type": "1-sqrt", "decay_type": "linear"}),
]
for name, lr, warmup, total, kwargs in CASES:
    p = torch.nn.Parameter(torch.zeros(1))
    o = torch.optim.SGD([p], lr=lr)
    s = get_scheduler(name, o, num_warmup_steps=warmup, num_training_steps=total, scheduler_specific_kwargs=dict(kwargs) or None)
    rates = []
    for _ in range(total + 3):
        rates.append(repr(float(s.get_last_lr()[0])))
        o.step()
        s.step()
    print(name, repr(lr), warmup, total, "|", *[f"{k}={v}" for k, v in kwargs.items()], "|", *rates)

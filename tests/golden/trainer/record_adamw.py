"""Records torch.optim.AdamW (2.15, fused, and clip_grad_norm_ 0.5): python record_adamw.py >adamw.txt

Two parameters as a Llama of hidden 8 has them (input_layernorm [8], o_proj [8, 8]); the first does not decay. Lines: steps of
`norm` and the values of both after the step; gradients of step t, element i: sin(i + 7 t) of both in one row."""
import torch
n, w = torch.linspace(-1, 1, 8).requires_grad_(), (torch.arange(64.) / 40 - .8).reshape(8, 8).requires_grad_()
opt = torch.optim.AdamW([{"params": [w], "weight_decay": 0.1}, {"params": [n], "weight_decay": 0.0}], lr=1e-2, betas=(0.9, 0.95), eps=1e-6, fused=True)
for t in range(1, 6):
    g = torch.sin(torch.arange(72., dtype=torch.float64) + 7 * t).float()
    n.grad, w.grad = g[:8].clone(), g[8:].reshape(8, 8).clone()
    norm = torch.nn.utils.clip_grad_norm_([n, w], 0.5)
    for group in opt.param_groups:
        group["lr"] = 1e-2 / t
    opt.step()
    print(repr(norm.item()), *[repr(x) for x in n.tolist() + w.flatten().tolist()])

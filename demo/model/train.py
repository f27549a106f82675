"""Trains the storybook model, a Llama-style decoder of 3 million parameters, on two CPU cores.

    apt-get install python3-torch python3-sentencepiece libopenblas0-pthread
    /usr/bin/python3 train.py --texts FOLDER --minutes 80

FOLDER contains train_simple.txt, train_books.txt, val_simple.txt and val_books.txt. Each document in
them ends with a line <eod>. The vocabulary is story.model, beside this file: 3,072 SentencePiece BPE
pieces with byte fallback. It was trained with `spm_train --model_type=bpe --vocab_size=3072
--byte_fallback --split_digits --normalization_rule_name=identity --remove_extra_whitespaces=false` on
three parts of simple stories and one part of books.

The program writes a checkpoint (--out). --resume continues from it, and export.py converts it to GGUF.
With AVX-512, OPENBLAS_CORETYPE=SkylakeX and OMP_NUM_THREADS=2 in the environment make it faster.
"""
import argparse
import math
import os
import time

import numpy as np
import sentencepiece
import torch
import torch.nn as nn
import torch.nn.functional as F

VOCAB, DIM, LAYERS, HEADS, KV_HEADS, FFN, CONTEXT = 3072, 192, 6, 6, 2, 512, 256
HEAD = DIM // HEADS
GROUP = HEADS // KV_HEADS
BOS, EOS = 1, 2
HERE = os.path.dirname(os.path.abspath(__file__))


class RMSNorm(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.w = nn.Parameter(torch.ones(dim))

    def forward(self, x):
        return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + 1e-5) * self.w


ANGLES = torch.outer(torch.arange(CONTEXT).float(), 10000 ** (-torch.arange(0, HEAD, 2).float() / HEAD))
COS, SIN = ANGLES.cos(), ANGLES.sin()


def rope(x):
    """x: (batch, heads, time, HEAD). Rotates neighbouring pairs, as GGUF's llama architecture does."""
    a, b = x[..., 0::2], x[..., 1::2]
    c, s = COS[: x.shape[2]], SIN[: x.shape[2]]
    return torch.stack((a * c - b * s, a * s + b * c), -1).flatten(-2)


def causal_mask(time_steps):
    """(1, GROUP * time, time): the queries that share a key-value head stand below each other."""
    return torch.full((time_steps, time_steps), float("-inf")).triu(1).repeat(GROUP, 1)[None]


MASK = causal_mask(CONTEXT)


class Block(nn.Module):
    """One layer. The names of its parts are those of the checkpoint, which export.py maps to GGUF's."""

    def __init__(self):
        super().__init__()

        def linear(columns, rows):
            return nn.Linear(columns, rows, bias=False)

        self.n1, self.n2 = RMSNorm(DIM), RMSNorm(DIM)
        self.q, self.o = linear(DIM, DIM), linear(DIM, DIM)
        self.k, self.v = linear(DIM, KV_HEADS * HEAD), linear(DIM, KV_HEADS * HEAD)
        self.g, self.u, self.d = linear(DIM, FFN), linear(DIM, FFN), linear(FFN, DIM)

    def forward(self, x):
        n, t, _ = x.shape
        h = self.n1(x)
        q = rope(self.q(h).view(n, t, HEADS, HEAD).transpose(1, 2))
        q = q.reshape(n * KV_HEADS, GROUP * t, HEAD) * HEAD**-0.5
        k = rope(self.k(h).view(n, t, KV_HEADS, HEAD).transpose(1, 2)).reshape(n * KV_HEADS, t, HEAD)
        v = self.v(h).view(n, t, KV_HEADS, HEAD).transpose(1, 2).reshape(n * KV_HEADS, t, HEAD)
        mask = MASK if t == CONTEXT else causal_mask(t)
        a = F.softmax(torch.baddbmm(mask.expand(n * KV_HEADS, -1, -1), q, k.transpose(1, 2)), -1)
        x = x + self.o(torch.bmm(a, v).view(n, HEADS, t, HEAD).transpose(1, 2).reshape(n, t, DIM))
        h = self.n2(x)
        return x + self.d(F.silu(self.g(h)) * self.u(h))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.e = nn.Embedding(VOCAB, DIM)  # tied: also the output matrix
        self.b = nn.ModuleList([Block() for _ in range(LAYERS)])
        self.n = RMSNorm(DIM)
        for name, p in self.named_parameters():
            if p.dim() == 2:
                into_residual = name.endswith(("o.weight", "d.weight"))
                nn.init.normal_(p, 0, 0.02 / math.sqrt(2 * LAYERS) if into_residual else 0.02)

    def loss(self, ids, targets):
        x = self.e(ids)
        for block in self.b:
            x = block(x)
        return F.cross_entropy((self.n(x) @ self.e.weight.t()).view(-1, VOCAB), targets.reshape(-1))


def read_corpus(pieces, folder, name):
    """The ids of all documents of a text, each between BOS and EOS, and the text's size in bytes."""
    with open(os.path.join(folder, name + ".txt"), encoding="utf-8") as file:
        text = file.read()
    ids = [i for document in text.split("\n<eod>\n") for i in (BOS, *pieces.encode(document), EOS)]
    return torch.tensor(ids), len(text.encode())


@torch.no_grad()
def bits_per_byte(model, ids, size, windows):
    starts = range(0, min(len(ids) - CONTEXT - 1, windows * CONTEXT), CONTEXT)
    losses = [model.loss(ids[None, o : o + CONTEXT], ids[None, o + 1 : o + CONTEXT + 1]).item() for o in starts]
    return sum(losses) / len(losses) / math.log(2) * len(ids) / size


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--texts", required=True, metavar="FOLDER")
    parser.add_argument("--out", default="story.pt", metavar="CHECKPOINT")
    parser.add_argument("--minutes", type=float, default=80)
    parser.add_argument("--rate", type=float, default=2e-3, help="learning rate at its greatest")
    parser.add_argument("--batch", type=int, default=8, help="windows of %d tokens in a step" % CONTEXT)
    parser.add_argument("--resume", action="store_true")
    args = parser.parse_args()

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", 2)))
    torch.manual_seed(1)
    pieces = sentencepiece.SentencePieceProcessor(model_file=os.path.join(HERE, "story.model"))
    simple, _ = read_corpus(pieces, args.texts, "train_simple")
    books, _ = read_corpus(pieces, args.texts, "train_books")
    held_out = {name: read_corpus(pieces, args.texts, "val_" + name) for name in ("simple", "books")}

    model = Model()
    if args.resume:
        model.load_state_dict(torch.load(args.out))
    matrices, vectors = ([p for p in model.parameters() if (p.dim() == 2) == wanted] for wanted in (True, False))
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0}]
    optimizer = torch.optim.AdamW(groups, lr=args.rate, betas=(0.9, 0.95))
    random = np.random.default_rng(time.time_ns() if args.resume else 3)

    start, step, mean = time.time(), 0, None
    while (done := (time.time() - start) / 60 / args.minutes) < 1:
        for group in optimizer.param_groups:  # a short rise, then half a cosine down to a tenth
            group["lr"] = args.rate * min(1, (step + 1) / 100) * (0.1 + 0.45 * (1 + math.cos(math.pi * done)))
        share = 0.25 if done < 0.8 else 0.6  # the simple texts come last and more often
        rows = []
        for _ in range(args.batch):
            text = simple if random.random() < share else books
            at = random.integers(0, len(text) - CONTEXT - 1)
            rows.append(text[at : at + CONTEXT + 1])
        rows = torch.stack(rows)
        loss = model.loss(rows[:, :-1], rows[:, 1:])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        step += 1
        mean = loss.item() if mean is None else 0.98 * mean + 0.02 * loss.item()
        if step % 250 == 0:
            rate = step * args.batch * CONTEXT / (time.time() - start)
            held = ", ".join(f"{name} {bits_per_byte(model, *text, 24):.3f}" for name, text in held_out.items())
            print(f"{done * args.minutes:.1f} min, step {step}, loss {mean:.3f}, {rate:.0f} tokens/s, held out: {held} bits a byte", flush=True)
            torch.save(model.state_dict(), args.out)
    torch.save(model.state_dict(), args.out)
    held = ", ".join(f"{name} {bits_per_byte(model, *text, 10**6):.4f}" for name, text in held_out.items())
    print(f"{step} steps; held out, whole: {held} bits a byte")


if __name__ == "__main__":
    main()

"""Converts a checkpoint of train.py to GGUF v3 (architecture llama).

    /usr/bin/python3 export.py CHECKPOINT OUT.gguf f32|q8_0

The vocabulary is story.model, beside this file.
"""
import argparse
import os
import struct

import numpy as np
import sentencepiece
import torch

HEAD = 32
CONTEXT = 256
ALIGNMENT = 32
F32, Q8_0 = 0, 8  # ggml's type numbers
U32, I32, FLOAT, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9  # GGUF's value types
LAYER = {
    "attn_norm": "n1.w",
    "attn_q": "q.weight",
    "attn_k": "k.weight",
    "attn_v": "v.weight",
    "attn_output": "o.weight",
    "ffn_norm": "n2.w",
    "ffn_gate": "g.weight",
    "ffn_down": "d.weight",
    "ffn_up": "u.weight",
}


def u32(value):
    return struct.pack("<I", value)


def u64(value):
    return struct.pack("<Q", value)


def string(text):
    data = text.encode()
    return u64(len(data)) + data


def padded(size):
    return -(-size // ALIGNMENT) * ALIGNMENT


def quantize_q8_0(a):
    """Blocks of 32 along the rows: a half-precision scale, then 32 signed bytes."""
    x = a.reshape(-1, 32)
    d = np.abs(x).max(1) / 127
    inverse = np.where(d > 0, 1 / np.maximum(d, 1e-30), 0)
    codes = np.rint(x * inverse[:, None]).astype(np.int8)
    out = np.empty((len(x), 34), np.uint8)
    out[:, :2] = d.astype(np.float16)[:, None].view(np.uint8).reshape(-1, 2)
    out[:, 2:] = codes.view(np.uint8)
    return out.tobytes()


def metadata(weights, pieces, kind):
    vocab = pieces.get_piece_size()
    width = weights["e.weight"].shape[1]
    layers = 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("b."))

    def token_type(i):
        return 2 if pieces.is_unknown(i) else 3 if pieces.is_control(i) else 6 if pieces.is_byte(i) else 1

    tokens = b"".join(string(pieces.id_to_piece(i)) for i in range(vocab))
    scores = struct.pack(f"<{vocab}f", *[pieces.get_score(i) for i in range(vocab)])
    types = struct.pack(f"<{vocab}i", *[token_type(i) for i in range(vocab)])
    return [
        ("general.architecture", STRING, string("llama")),
        ("general.name", STRING, string("storybook")),
        ("general.file_type", U32, u32({"f32": 0, "q8_0": 7}[kind])),
        ("general.quantization_version", U32, u32(2)),
        ("llama.block_count", U32, u32(layers)),
        ("llama.context_length", U32, u32(CONTEXT)),
        ("llama.embedding_length", U32, u32(width)),
        ("llama.feed_forward_length", U32, u32(weights["b.0.g.weight"].shape[0])),
        ("llama.vocab_size", U32, u32(vocab)),
        ("llama.attention.head_count", U32, u32(width // HEAD)),
        ("llama.attention.head_count_kv", U32, u32(weights["b.0.k.weight"].shape[0] // HEAD)),
        ("llama.rope.dimension_count", U32, u32(HEAD)),
        ("llama.attention.layer_norm_rms_epsilon", FLOAT, struct.pack("<f", 1e-5)),
        ("llama.rope.freq_base", FLOAT, struct.pack("<f", 10000.0)),
        ("tokenizer.ggml.model", STRING, string("llama")),
        ("tokenizer.ggml.pre", STRING, string("default")),
        ("tokenizer.ggml.tokens", ARRAY, u32(STRING) + u64(vocab) + tokens),
        ("tokenizer.ggml.scores", ARRAY, u32(FLOAT) + u64(vocab) + scores),
        ("tokenizer.ggml.token_type", ARRAY, u32(I32) + u64(vocab) + types),
        ("tokenizer.ggml.bos_token_id", U32, u32(1)),
        ("tokenizer.ggml.eos_token_id", U32, u32(2)),
        ("tokenizer.ggml.unknown_token_id", U32, u32(0)),
        ("tokenizer.ggml.add_bos_token", BOOL, b"\1"),
        ("tokenizer.ggml.add_space_prefix", BOOL, b"\1"),
    ]


def tensors(weights, kind):
    """(name, dimensions with the row's length first, type, bytes) in the file's order."""
    layers = 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("b."))
    order = [("token_embd", "e.weight"), ("output_norm", "n.w")]
    order += [(f"blk.{i}.{to}", f"b.{i}.{name}") for i in range(layers) for to, name in LAYER.items()]
    for to, name in order:
        a = weights[name]
        quantized = a.ndim == 2 and kind == "q8_0"
        yield f"{to}.weight", a.shape[::-1], Q8_0 if quantized else F32, quantize_q8_0(a) if quantized else a.tobytes()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("checkpoint")
    parser.add_argument("out")
    parser.add_argument("kind", choices=["f32", "q8_0"])
    args = parser.parse_args()

    here = os.path.dirname(os.path.abspath(__file__))
    state = torch.load(args.checkpoint, map_location="cpu")
    weights = {name: tensor.numpy().astype(np.float32) for name, tensor in state.items()}
    pieces = sentencepiece.SentencePieceProcessor(model_file=os.path.join(here, "story.model"))
    keys, files = metadata(weights, pieces, args.kind), list(tensors(weights, args.kind))

    header = b"GGUF" + u32(3) + u64(len(files)) + u64(len(keys))
    header += b"".join(string(key) + u32(kind) + value for key, kind, value in keys)
    at = 0
    for name, dims, kind, data in files:
        header += string(name) + u32(len(dims)) + b"".join(u64(d) for d in dims) + u32(kind) + u64(at)
        at += padded(len(data))
    with open(args.out, "wb") as file:
        for data in (header, *(data for _, _, _, data in files)):
            file.write(data.ljust(padded(len(data)), b"\0"))


if __name__ == "__main__":
    main()

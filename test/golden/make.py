"""Runs the packed model through the reference implementation and writes down what it says.

    python make.py <packed model folder> <folder of wav files> <out.json>

Needs torch, transformers and numpy. See README.md.
"""

import json
import pathlib
import struct
import sys
import wave

import numpy as np
import torch
from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration

MAX_TOKENS = 100
TOP = 8
SAMPLED = 24
DTYPES = {"I8": np.int8, "F32": np.float32, "F16": np.float16}


def read_packed(folder):
    """Every tensor in single precision; integers times the scale of their row."""
    raw = {}
    for path in folder.glob("*.safetensors"):
        blob = path.read_bytes()
        (length,) = struct.unpack_from("<Q", blob)
        header = json.loads(blob[8 : 8 + length])
        header.pop("__metadata__", None)
        for name, entry in header.items():
            start, end = entry["data_offsets"]
            values = np.frombuffer(blob[8 + length + start : 8 + length + end], DTYPES[entry["dtype"]])
            raw[name] = values.reshape(entry["shape"])
    scales = {name.removesuffix(".scales") for name in raw if name.endswith(".scales")}
    return {
        name: torch.from_numpy(
            values.astype(np.float32) * raw[name + ".scales"][:, None] if name in scales else values.astype(np.float32)
        )
        for name, values in raw.items()
        if not name.endswith(".scales")
    }


def read_wav(path):
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16000, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float32) / 32768


def round_to(values, digits):
    return [round(float(value), digits) for value in values]


folder, wavs, out = (pathlib.Path(argument) for argument in sys.argv[1:4])
weights = read_packed(folder)
model = WhisperForConditionalGeneration(
    WhisperConfig.from_pretrained(folder, attn_implementation="eager")
).eval()
weights.setdefault("proj_out.weight", weights["model.decoder.embed_tokens.weight"])
model.load_state_dict(weights, strict=True)
generation = json.loads((folder / "generation_config.json").read_text())
extract = WhisperFeatureExtractor(feature_size=model.config.num_mel_bins)
start = [
    generation["decoder_start_token_id"],
    generation["lang_to_id"]["<|en|>"],
    generation["task_to_id"]["transcribe"],
    generation["no_timestamps_token_id"],
]
random = np.random.default_rng(0)
sampled = sorted(int(token) for token in random.choice(model.config.vocab_size, SAMPLED, replace=False))

clips = {}
with torch.no_grad():
    for path in sorted(wavs.glob("*.wav")):
        mel = extract(read_wav(path), sampling_rate=16000, return_tensors="pt").input_features
        encoded = model.model.encoder(mel).last_hidden_state
        tokens = list(start)
        while len(tokens) < MAX_TOKENS and tokens[-1] != generation["eos_token_id"]:
            logits = model(decoder_input_ids=torch.tensor([tokens]), encoder_outputs=(encoded,)).logits[0, -1]
            logits[generation["suppress_tokens"]] = -torch.inf
            logits[generation["no_timestamps_token_id"] + 1 :] = -torch.inf
            if len(tokens) == len(start):
                logits[generation["begin_suppress_tokens"]] = -torch.inf
            tokens.append(int(logits.argmax()))

        # Once more over all tokens: what would be said after each, and where each one listens.
        given = tokens[:-1]
        answer = model(
            decoder_input_ids=torch.tensor([given]), encoder_outputs=(encoded,), output_attentions=True
        )
        heads = [answer.cross_attentions[layer][0, head] for layer, head in generation["alignment_heads"]]
        peak, position = torch.stack(heads).max(dim=-1)
        clips[path.name] = {
            "tokens": tokens,
            "rows": [
                {
                    "top": [[int(token), round(float(row[token]), 4)] for token in row.topk(TOP).indices],
                    "sampled": round_to(row[sampled], 4),
                }
                for row in answer.logits[0]
            ],
            "alignment": {
                "position": position.tolist(),
                "weight": [round_to(head, 4) for head in peak],
            },
        }
        print(path.name, len(tokens), "tokens")

out.write_text(json.dumps({"sampled": sampled, "clips": clips}, separators=(",", ":")) + "\n")

"""Serves faster-whisper to the bench: a JSON request a line in, a JSON answer a line out.

    python faster_whisper_lines.py <folder of a CTranslate2 model> <threads>

Request: {"audio": path of raw 32-bit floats, 16 kHz mono, "language": code}, or {} to ask for the CPU time only.
"""

import json
import sys
import time

import numpy as np
from faster_whisper import WhisperModel

folder, threads = sys.argv[1], int(sys.argv[2])
model = WhisperModel(folder, device="cpu", compute_type="int8", cpu_threads=threads, num_workers=1)


def transcribe(path, language):
    audio = np.fromfile(path, np.float32)
    segments, _ = model.transcribe(audio, language=language, beam_size=1, temperature=0.0, without_timestamps=True)
    return "".join(segment.text for segment in segments).strip()


def answer(**fields):
    print(json.dumps({**fields, "cpuSeconds": time.process_time()}), flush=True)


answer(text="")
for line in sys.stdin:
    request = json.loads(line)
    answer(text=transcribe(request["audio"], request["language"]) if request else "")

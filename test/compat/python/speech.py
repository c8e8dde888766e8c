"""The fixtures that are spoken, and where the gateway is."""

import os
import re
import wave
from pathlib import Path

URL = os.environ["EARSHOT_URL"]
KEY = os.environ["EARSHOT_KEY"]
WS_URL = URL.replace("http", "ws", 1)

FIXTURES = Path(__file__).parents[2] / "fixtures"
SPEECH = FIXTURES / "austen-0880.wav"

#: Told from other speech by these.
SAID = ("ill-disposed", "young man")


def pcm(path: Path = SPEECH, tail_s: float = 1.0) -> tuple[bytes, int]:
    """16-bit mono PCM with a silence behind it, and its rate in Hz."""
    with wave.open(str(path)) as wav:
        rate = wav.getframerate()
        return wav.readframes(wav.getnframes()) + bytes(2 * int(tail_s * rate)), rate


def pieces(audio: bytes, size: int):
    for at in range(0, len(audio), size):
        yield audio[at : at + size]


def is_what_was_said(text: str) -> bool:
    spoken = re.sub(r"\s+", " ", text.lower())
    return all(words in spoken for words in SAID)

"""Real speech, and talking with it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Callable, List, Tuple

from earshot import LiveStream

FIXTURES = Path(__file__).parents[3] / "test" / "fixtures"
BYTES_OF_MS = 32
"""16-bit PCM at 16 kHz."""

TRANSCRIPTS = json.loads((FIXTURES / "transcripts.json").read_text("utf-8"))


def pcm_of(name: str) -> bytes:
    """A fixture's samples, without the header."""
    wav = (FIXTURES / name).read_bytes()
    return wav[wav.index(b"data") + 8 :]


def silence(ms: int) -> bytes:
    return bytes(ms * BYTES_OF_MS)


def talk() -> Tuple[bytes, int]:
    """Two clips with silence around them, and the byte in the middle of the first."""
    first, second = pcm_of("austen-0880.wav"), pcm_of("austen-0920.wav")
    before, pause = silence(400), silence(1200)
    middle = (len(before) + len(first) // 2) & ~1
    return before + first + pause + second + pause, middle


SAID = [TRANSCRIPTS[name]["text"] for name in ("austen-0880.wav", "austen-0920.wav")]


async def speak(stream: LiveStream, audio: bytes) -> None:
    """Hands audio over in pieces of 100 ms, some ten times as fast as it is spoken."""
    for at in range(0, len(audio), 100 * BYTES_OF_MS):
        await stream.send(audio[at : at + 100 * BYTES_OF_MS])
        await asyncio.sleep(0.01)


async def until(condition: Callable[[], bool]) -> None:
    """Waits until it holds; the bound is for what hangs."""
    for _ in range(6000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came about")


def words_of(text: str) -> List[str]:
    return "".join(letter for letter in text.lower() if letter.isalnum() or letter.isspace()).split()

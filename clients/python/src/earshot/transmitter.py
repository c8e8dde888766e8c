"""The sending half of a live stream: audio goes in at any time, and out while there is a connection for it."""

from __future__ import annotations

import asyncio
from typing import Awaitable, Callable, Optional, Union

from .audio_tail import AudioTail
from .types import AudioFormat

_COMFORTABLE_BYTES = 256 * 1024
"""There is room for more while less than this is unsent."""
PIECE_BYTES = 64 * 1024
MIN_HELD_BYTES = _COMFORTABLE_BYTES + PIECE_BYTES

_BYTES = {"pcm_s16le": 2, "pcm_f32le": 4, "mulaw": 1, "alaw": 1}


class Transmitter:
    """Keeps what is not committed, so that it can be sent again."""

    def __init__(self, audio: AudioFormat, max_held_bytes: int) -> None:
        self._tail = AudioTail(max_held_bytes)
        bytes_each = _BYTES.get(audio.get("encoding", "pcm_s16le"))
        # None for containers, which cannot be sent again from the middle.
        self._bytes_per_sample = None if bytes_each is None else bytes_each * audio.get("channels", 1)
        # The sample at which this stream's own audio begins: not 0 where it joined a session under way.
        self._base_sample: Optional[int] = None
        self._ended = False
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    @property
    def resumable(self) -> bool:
        """Whether audio that was sent can be sent again."""
        return self._bytes_per_sample is not None

    async def add(self, piece: bytes) -> None:
        """Takes up to PIECE_BYTES of audio once there is room for them."""
        await self.room()
        self._tail.append(piece)
        self._changed()

    async def room(self) -> None:
        """Returns when there is room for more, or when `stop()` says that there never will be."""
        await self._room.wait()

    def commit(self) -> None:
        """Ends the utterance after what was added so far."""
        self._tail.commit()
        self._changed()

    def end(self) -> None:
        """Sends `audio.end` once all audio is out."""
        self._ended = True
        self._changed()

    def stop(self) -> None:
        """Nothing more will be sent: whoever waits for room need not."""
        self._room.set()

    def rewind(self, sample: int) -> bool:
        """Goes on from this sample over a fresh connection; False where it is no longer held."""
        if self._base_sample is None:
            self._base_sample = sample
        return self._tail.rewind(self._byte_of(sample))

    def committed(self, sample: int) -> None:
        """Audio before this sample will never be asked for again."""
        self._tail.forget(self._byte_of(sample))

    async def send_all(self, send: Callable[[Union[str, bytes]], Awaitable[None]], max_frame_bytes: int) -> None:
        """Sends what is held and what is added, as fast as `send` takes it; returns after `audio.end`."""
        while True:
            self._news.clear()
            piece = self._tail.take(min(max_frame_bytes, PIECE_BYTES))
            if piece is not None:
                await send('{"type":"utterance.commit"}' if piece == "commit" else piece)
                # What cannot be sent again need not be kept.
                if not self.resumable:
                    self._tail.forget(self._tail.sent_bytes)
                self._changed()
            elif self._ended:
                return await send('{"type":"audio.end"}')
            else:
                await self._news.wait()

    def _changed(self) -> None:
        self._news.set()
        if self._tail.unsent_bytes < _COMFORTABLE_BYTES:
            self._room.set()
        else:
            self._room.clear()

    def _byte_of(self, sample: int) -> int:
        return (sample - (self._base_sample or 0)) * (self._bytes_per_sample or 1)

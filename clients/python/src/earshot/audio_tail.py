"""The audio that may still be needed."""

from __future__ import annotations

from collections import deque
from typing import Deque, List, Literal, Union


class AudioTail:
    """What was not sent yet, and what was sent but is not reflected in stored events.

    One buffer serves as send queue and as memory for resending; positions are bytes since the stream began. Over
    its bound it forgets the oldest audio that was sent already; audio never sent is never forgotten. Commits ("end
    the utterance now") keep their place between two bytes.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._chunks: Deque[bytes] = deque()
        # Of the first byte held, of the next to send, and after the last held.
        self._start = 0
        self._cursor = 0
        self._end = 0
        # Positions of commits, rising; the first `_marks_sent` of them were sent.
        self._marks: List[int] = []
        self._marks_sent = 0

    @property
    def held_bytes(self) -> int:
        return self._end - self._start

    @property
    def unsent_bytes(self) -> int:
        return self._end - self._cursor

    @property
    def sent_bytes(self) -> int:
        return self._cursor

    def append(self, audio: bytes) -> bool:
        """Adds audio; False, with nothing added, where it would not fit."""
        if not audio:
            return True
        if self.unsent_bytes + len(audio) > self._max_bytes:
            return False
        self._chunks.append(audio)
        self._end += len(audio)
        self.forget(self._end - self._max_bytes)
        return True

    def commit(self) -> None:
        """Notes a commit after the last byte added."""
        if not self._marks or self._marks[-1] != self._end:
            self._marks.append(self._end)

    def take(self, max_bytes: int) -> Union[bytes, Literal["commit"], None]:
        """What is to be sent next, audio at most `max_bytes` long, and moves on; None where all was sent."""
        mark = self._marks[self._marks_sent] if self._marks_sent < len(self._marks) else None
        if mark is not None and mark <= self._cursor:
            self._marks_sent += 1
            return "commit"
        room = max_bytes if mark is None else min(max_bytes, mark - self._cursor)
        position = self._start
        for chunk in self._chunks:
            offset = self._cursor - position
            if offset < len(chunk):
                piece = chunk[offset : offset + room]
                self._cursor += len(piece)
                return piece
            position += len(chunk)
        return None

    def rewind(self, position: int) -> bool:
        """Goes back (or on) to send from `position`; False where that is no longer, or not yet, held."""
        if not self._start <= position <= self._end:
            return False
        self._cursor = position
        self._marks_sent = sum(mark <= position for mark in self._marks)
        return True

    def forget(self, position: int) -> None:
        """Lets go of everything before `position` that was sent."""
        until = min(position, self._cursor)
        while self._chunks and self._start < until:
            first = self._chunks[0]
            cut = min(len(first), until - self._start)
            if cut == len(first):
                self._chunks.popleft()
            else:
                self._chunks[0] = first[cut:]
            self._start += cut
        while self._marks_sent > 0 and self._marks[0] <= self._start:
            self._marks.pop(0)
            self._marks_sent -= 1

"""Events between the socket, which cannot wait, and the reader, who may."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Deque, Optional

from .errors import EarshotError
from .events import Event


class EventQueue:
    """A newer hypothesis takes the place of an older one of the same utterance, and newer progress that of older.

    All else waits its turn. Over the bound the reader is told, and gets nothing more: leaving an event out in
    silence would be worse.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._waiting: Deque[Event] = deque()
        self._ended = False
        self._error: Optional[EarshotError] = None
        self._wake = asyncio.Event()
        self._is_awaited = False

    def push(self, event: Event) -> None:
        """Adds an event; of no effect after the end."""
        if self._ended:
            return
        if self._waiting and _replaces(event, self._waiting[-1]):
            self._waiting[-1] = event
        elif len(self._waiting) < self._capacity:
            self._waiting.append(event)
        else:
            self.end(EarshotError("reader_too_slow", f"{self._capacity} events wait to be read"))
        self._wake.set()

    def end(self, error: Optional[EarshotError]) -> None:
        """No more events; those that wait are still read, then `error` is raised where there is one."""
        if not self._ended:
            self._ended = True
            self._error = error
        self._wake.set()

    def __aiter__(self) -> EventQueue:
        return self

    async def __anext__(self) -> Event:
        """The next event, for one reader at a time: RuntimeError for a second one."""
        while not self._waiting:
            if self._ended:
                raise self._error or StopAsyncIteration
            if self._is_awaited:
                raise RuntimeError("the events of this stream are being read already")
            self._is_awaited = True
            self._wake.clear()
            try:
                await self._wake.wait()
            finally:
                self._is_awaited = False
        return self._waiting.popleft()


def _replaces(newer: Event, older: Event) -> bool:
    if newer["type"] == "session.progress":
        return older["type"] == "session.progress"
    return (
        newer["type"] == "transcript.partial"
        and older["type"] == "transcript.partial"
        and newer["utteranceId"] == older["utteranceId"]
    )

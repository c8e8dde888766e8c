"""Streams of server-sent events, read for as long as it takes."""

from __future__ import annotations

import asyncio
import codecs
import random
import time
from dataclasses import dataclass
from typing import AsyncContextManager, AsyncIterator, Awaitable, Callable, Optional, Union

import httpx

from .backoff import backoff_s
from .errors import EarshotError
from .events import DurableEvent, Event, FeedEntry, Reset
from .http import Http, parse_answer
from .sse import SseMessage, SseParser
from .types import Session

SILENCE_S = 45.0
"""The gateway sends a comment every 15 s, so three of them missing means that nobody is there."""

_LONGEST_ASKED_S = 30.0
_OLDEST = "0"
"""The cursor before the oldest event that is kept."""
_ENDS = ("session.done", "session.failed", "session.sent")


@dataclass(frozen=True)
class _Source:
    open: Callable[[Optional[str]], AsyncContextManager[httpx.Response]]
    """Opens the stream after a cursor."""
    is_over: Callable[[], Awaitable[bool]]
    """Asked when the server closes the stream properly: whether that was its end, rather than a loss."""


async def _follow(source: _Source, cursor: Optional[str], patience_s: float) -> AsyncIterator[SseMessage]:
    """Opens a lost connection again after the last id, with growing pauses.

    A first connection that fails is told at once, since there is nothing to keep. Raises EarshotError: the
    gateway's refusal, or `connection_lost` when patience is over.
    """
    ever_open = False
    lost_at_s = 0.0
    failed = 0
    while True:
        parser = SseParser()
        error: Optional[EarshotError] = None
        try:
            async with source.open(cursor) as response:
                if response.status_code == 204:
                    return
                ever_open = True
                decode = codecs.getincrementaldecoder("utf-8")("replace").decode
                async for piece in response.aiter_bytes():
                    for message in parser.push(decode(piece)):
                        cursor = message.id or cursor
                        # Only what was heard counts as success: a server that opens and closes at once is not
                        # asked in a rush.
                        failed = 0
                        yield message
            if await source.is_over():
                return
        except EarshotError as caught:
            if not ever_open or not caught.may_pass:
                raise
            error = caught
        now_s = time.monotonic()
        if failed == 0:
            lost_at_s = now_s
        asked_s = (error.retry_after_s if error else None) or parser.retry_s or 0.0
        delay_s = backoff_s(failed, random.random(), min(asked_s, _LONGEST_ASKED_S))
        failed += 1
        if now_s + delay_s - lost_at_s > patience_s:
            raise EarshotError("connection_lost", "the gateway could not be reached again") from error
        await asyncio.sleep(delay_s)


async def session_events(
    http: Http, session_id: str, after: Optional[int], patience_s: float
) -> AsyncIterator[Union[Event, Reset]]:
    """Every event of one session, from its beginning or after a seq, then live, until its end.

    Durable events come exactly once and in order, however often the connection is lost.
    """
    path = f"v1/sessions/{session_id}"
    last_seq = after or 0
    ended = False

    async def is_over() -> bool:
        # A reader who asks for what comes after the end gets a stream that closes without a word.
        if ended:
            return True
        session: Session = await http.json("GET", path)
        return session["receipt"] is not None and last_seq >= session["receipt"]["lastSeq"]

    def open(_: Optional[str]) -> AsyncContextManager[httpx.Response]:
        return _stream(http, f"{path}/events", str(last_seq))

    async for message in _follow(_Source(open, is_over), None, patience_s):
        if message.event == "reset":
            yield Reset(type="reset")
            continue
        event: Event = parse_answer(message.data)
        seq = event.get("seq")
        if isinstance(seq, int):
            if seq <= last_seq:
                continue
            last_seq = seq
        ended = ended or event["type"] in _ENDS
        yield event


async def feed_entries(http: Http, cursor: Optional[str], patience_s: float) -> AsyncIterator[FeedEntry]:
    """The durable events of all sessions the key may see, for as long as the caller listens.

    Where the gateway no longer keeps what came after the cursor, it says so by a reset, and what it has follows from
    the oldest.
    """
    asked: Optional[str] = None
    stale: Optional[str] = None

    async def is_over() -> bool:
        return False

    def open(after: Optional[str]) -> AsyncContextManager[httpx.Response]:
        nonlocal asked
        asked = after
        return _stream(http, "v1/feed", _OLDEST if after is not None and after == stale else after)

    async for message in _follow(_Source(open, is_over), cursor, patience_s):
        if message.event == "reset":
            stale = asked
            yield FeedEntry(message.id, Reset(type="reset"))
            continue
        event: DurableEvent = parse_answer(message.data)
        yield FeedEntry(message.id, event)


def _stream(http: Http, path: str, after: Optional[str]) -> AsyncContextManager[httpx.Response]:
    headers = {"Accept": "text/event-stream"}
    return http.open("GET", path, query={"after": after}, headers=headers, read_s=SILENCE_S)

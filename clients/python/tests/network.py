"""A TCP proxy before a gateway that breaks connections, and sends streams elsewhere, as it is told."""

from __future__ import annotations

import asyncio
import asyncio.base_events
import re
from typing import List, Optional, Set, Tuple
from urllib.parse import urlsplit

_STREAM = re.compile(rb"GET /v1/sessions/\w+/stream[ ?]")
_PIECE = 64 * 1024


class Network:
    """Between a client and the gateway at `target`."""

    def __init__(self, target: str) -> None:
        address = urlsplit(target)
        self._target = (str(address.hostname), int(address.port or 80))
        self._server: Optional[asyncio.base_events.Server] = None
        self._writers: Set[asyncio.StreamWriter] = set()
        self.is_down = False
        """Whether new connections are cut at once."""
        self.detours: List[int] = []
        """Ports of this machine that the next streams are led to instead, one each."""
        self.answer_limits: List[int] = []
        """After so many bytes behind the head of its answer the next connections break, one each."""
        self.streams = 0
        """How many streams were opened."""

    async def __aenter__(self) -> Network:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server
        self._server.close()
        self.cut()

    @property
    def url(self) -> str:
        assert self._server
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"http://{host}:{port}"

    def cut(self) -> None:
        """Resets every connection there is."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        limit = self.answer_limits.pop(0) if self.answer_limits else None
        try:
            if self.is_down:
                return
            first = await reader.read(_PIECE)
            up_reader, up_writer = await asyncio.open_connection(*self._route(first))
            self._writers.add(up_writer)
            try:
                up_writer.write(first)
                await asyncio.wait(
                    [
                        asyncio.ensure_future(self._pass(reader, up_writer, None)),
                        asyncio.ensure_future(self._pass(up_reader, writer, limit)),
                    ],
                    return_when=asyncio.FIRST_COMPLETED,
                )
            finally:
                self._writers.discard(up_writer)
                up_writer.transport.abort()
        except OSError:
            pass
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    def _route(self, request: bytes) -> Tuple[str, int]:
        if not _STREAM.match(request):
            return self._target
        self.streams += 1
        return ("127.0.0.1", self.detours.pop(0)) if self.detours else self._target

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit: Optional[int]) -> None:
        left = None
        try:
            while piece := await reader.read(_PIECE):
                if limit is not None and left is None:
                    left = piece.index(b"\r\n\r\n") + 4 + limit
                if left is not None:
                    piece, left = piece[:left], left - len(piece)
                writer.write(piece)
                await writer.drain()
                if left is not None and left <= 0:
                    # What was passed on arrives, unlike before a reset.
                    writer.close()
                    return await writer.wait_closed()
        except OSError:
            pass

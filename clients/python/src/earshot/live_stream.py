"""A live session: audio in, events out, and the receipt at the end."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, AsyncIterator, Awaitable, Callable, Dict, Literal, Mapping, Optional, Type, Union

from .connection import Attempt, Circumstances, GiveUp, Loss, after_loss
from .errors import EarshotError
from .event_queue import EventQueue
from .events import Event
from .socket import HANDSHAKE_S, Lost, Socket, error_of
from .transmitter import MIN_HELD_BYTES, PIECE_BYTES, Transmitter
from .types import AudioFormat, Receipt, Session

Status = Literal["connecting", "open", "reconnecting", "ending", "done", "failed"]
"""What may be shown of a stream."""

FIRST_CONNECTION_S = 10.0
SILENCE_S = 45.0
"""The gateway acknowledges once a second while audio flows, and gives up on dead peers after as long as this."""
MAX_WAITING_EVENTS = 10_000


@dataclass(frozen=True)
class StreamTarget:
    """Where a stream's connections go."""

    session_id: str
    audio: AudioFormat
    url: str
    headers: Mapping[str, str]
    read_session: Callable[[], Awaitable[Session]]
    """The session as it stands, to tell what was stored when the stream is beyond help."""


@dataclass(frozen=True)
class StreamSettings:
    """How a stream behaves; see `Earshot.stream`."""

    patience_s: float
    max_held_bytes: int
    on_status: Optional[Callable[[Status], None]]
    on_warning: Optional[Callable[[EarshotError], None]]


class LiveStream:
    """Made by `Earshot.stream`. A lost connection is taken up again by itself, out of the audio kept for that."""

    def __init__(self, target: StreamTarget, settings: StreamSettings) -> None:
        if settings.max_held_bytes < MIN_HELD_BYTES:
            raise ValueError(f"max_held_bytes must be {MIN_HELD_BYTES} or more")
        self._target = target
        self._settings = settings
        self._transmitter = Transmitter(target.audio, settings.max_held_bytes)
        self._events = EventQueue(MAX_WAITING_EVENTS)
        self._receipt: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        # Whoever iterates hears of a failure there; the future must not also count as unhandled.
        self._receipt.add_done_callback(lambda future: future.cancelled() or future.exception())
        self._status: Status = "connecting"
        self._last_seq = 0
        self._resuming = False
        self._end_called = False
        self._over: Optional[EarshotError] = None
        self._running = asyncio.ensure_future(self._run())

    @property
    def session_id(self) -> str:
        """The session's id, to read it again later."""
        return self._target.session_id

    @property
    def status(self) -> Status:
        """Where the stream stands now."""
        return self._status

    async def send(self, audio: Union[bytes, bytearray, memoryview]) -> None:
        """Hands over audio, of any length, and waits while too much is unsent.

        Raises EarshotError: `session_ended` after `end()`, or the failure that ended the stream.
        """
        data = audio if isinstance(audio, bytes) else bytes(audio)
        for at in range(0, len(data), PIECE_BYTES):
            self._check_open()
            await self._transmitter.room()
            self._check_open()
            await self._transmitter.add(data[at : at + PIECE_BYTES])

    async def commit(self) -> None:
        """Ends the utterance here, whether or not anybody fell silent. Raises as `send` does."""
        self._check_open()
        self._transmitter.commit()

    async def end(self) -> Receipt:
        """No more audio: waits until every final and the language model's answer are stored.

        Raises EarshotError the failure that ended the session.
        """
        if not self._end_called:
            self._end_called = True
            self._transmitter.end()
            if self._status == "open":
                self._become("ending")
        return await asyncio.shield(self._receipt)

    def __aiter__(self) -> AsyncIterator[Event]:
        """The session's events, each once, for one reader. Raises EarshotError where the stream fails."""
        return self._events

    async def __aenter__(self) -> LiveStream:
        return self

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        """Ends the session where all went well, else gives the stream up; the session then ends by itself."""
        try:
            if kind is None:
                await self.end()
        finally:
            await self._give_up()

    def _check_open(self) -> None:
        if self._over:
            raise self._over
        if self._end_called:
            raise EarshotError("session_ended", "end() was called: no more audio is taken")

    async def _run(self) -> None:
        try:
            await self._keep_connected()
        except Exception as error:
            if self._receipt.done():
                raise
            failure = EarshotError("unexpected_answer", f"{type(error).__name__}: {error}")
            failure.__cause__ = error
            await self._fail(error if isinstance(error, EarshotError) else failure)

    async def _keep_connected(self) -> None:
        """Connects again and again; returns with the end of the session, and raises what rules it out."""
        attempt: Optional[Attempt] = Attempt(False, 0, time.monotonic() + FIRST_CONNECTION_S)
        ghosts_until_s = 0.0
        while loss := await self._connect_once():
            if self._status in ("open", "ending"):
                attempt = None
            now = Circumstances(
                now_s=time.monotonic(),
                random=random.random(),
                patience_s=self._settings.patience_s,
                resumable=self._transmitter.resumable,
                ghosts_until_s=ghosts_until_s,
            )
            follows = after_loss(attempt, loss, now)
            if isinstance(follows, GiveUp):
                raise follows.error
            attempt, ghosts_until_s = follows.attempt, follows.ghosts_until_s
            self._become("reconnecting" if attempt.resuming else "connecting")
            await asyncio.sleep(follows.delay_s)

    async def _connect_once(self) -> Optional[Loss]:
        """One connection from its beginning to its end; None where the session ended with it."""
        url = self._target.url
        if self._resuming:
            # Also where nothing was heard before: what the lost connection was told would be missing.
            url += f"{'&' if '?' in url else '?'}after={self._last_seq}"
        self._resuming = True
        try:
            socket = await Socket.open(url, self._target.headers)
        except Lost as lost:
            return lost.loss
        sending: Optional[asyncio.Task[None]] = None
        try:
            while not self._receipt.done():
                message = await socket.receive(SILENCE_S if sending else HANDSHAKE_S)
                if message["type"] == "session.ready":
                    sending = asyncio.ensure_future(self._start(socket, message))
                else:
                    self._on_message(message)
            await socket.close()
            return None
        except Lost as lost:
            return lost.loss
        finally:
            if sending:
                await _ended(sending)
            socket.drop()

    def _start(self, socket: Socket, ready: Dict[str, Any]) -> Awaitable[None]:
        sample = ready["resumeFromSample"]
        if not self._transmitter.rewind(sample):
            raise EarshotError("not_resumable", f"the gateway asks for sample {sample}, which is no longer held")
        self._become("ending" if self._end_called else "open")
        return self._transmitter.send_all(socket.send, ready["limits"]["maxFrameBytes"])

    def _on_message(self, message: Dict[str, Any]) -> None:
        if message["type"] == "audio.ack":
            self._transmitter.committed(message["committedSamples"])
        elif message["type"] == "error":
            if self._settings.on_warning:
                self._settings.on_warning(error_of(message))
        else:
            self._on_event(message)

    def _on_event(self, event: Any) -> None:
        seq = event.get("seq")
        if seq is not None:
            if seq <= self._last_seq:
                return
            self._last_seq = seq
        self._events.push(event)
        if event["type"] == "session.done":
            self._receipt.set_result(event["receipt"])
            self._finish("done", EarshotError("session_ended", "the session is done: no more audio is taken"), None)
        elif event["type"] == "session.failed":
            error = EarshotError(event["error"]["code"], event["error"]["message"])
            self._receipt.set_exception(error)
            self._finish("failed", error, None)

    async def _fail(self, error: EarshotError) -> None:
        """Tells why there will be no receipt, with what the gateway has stored where that can be read."""
        with suppress(EarshotError, asyncio.TimeoutError):
            error.session = await asyncio.wait_for(self._target.read_session(), HANDSHAKE_S)
        self._receipt.set_exception(error)
        self._finish("failed", error, error)

    def _finish(self, status: Status, over: EarshotError, told: Optional[EarshotError]) -> None:
        self._over = over
        self._events.end(told)
        self._transmitter.stop()
        self._become(status)

    async def _give_up(self) -> None:
        await _ended(self._running)
        if not self._receipt.done():
            error = EarshotError("aborted", "the stream was given up")
            self._receipt.set_exception(error)
            self._finish("failed", error, error)

    def _become(self, status: Status) -> None:
        if status == self._status:
            return
        self._status = status
        if self._settings.on_status:
            self._settings.on_status(status)


async def _ended(task: asyncio.Future[None]) -> None:
    """Cancels a task and waits until it has ended; that its connection is gone is told by who reads from it."""
    task.cancel()
    await asyncio.wait([task])
    error = None if task.cancelled() else task.exception()
    if error and not isinstance(error, Lost):
        raise error

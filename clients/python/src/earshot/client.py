"""A gateway, seen from outside."""

from __future__ import annotations

from contextlib import asynccontextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, AsyncIterator, Callable, Dict, Optional, Type, Union
from urllib.parse import quote

from .errors import EarshotError
from .events import Event, FeedEntry, Reset
from .follow import feed_entries, session_events
from .http import Http
from .live_stream import LiveStream, Status, StreamSettings, StreamTarget
from .types import Session, SessionOptions, SessionPage, SessionState, TranscriptFormat
from .upload import OnProgress, Recording, send_recording

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Earshot:
    """Every method raises `EarshotError` with the gateway's stable `code`.

    The options of a session are named as on the wire, and whatever is left out takes the gateway's default.
    """

    def __init__(self, url: str, api_key: Optional[str] = None) -> None:
        """`url`: the gateway's address, e.g. `https://speech.example.org`. `api_key`: a key, or an `ek_` token."""
        self._http = Http(url, api_key)

    async def __aenter__(self) -> Earshot:
        return self

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections to the gateway."""
        await self._http.close()

    @asynccontextmanager
    async def stream(
        self,
        *,
        patience_s: float = 60.0,
        max_held_bytes: int = 8 * 1024 * 1024,
        on_status: Optional[Callable[[Status], None]] = None,
        on_warning: Optional[Callable[[EarshotError], None]] = None,
        **options: Unpack[SessionOptions],
    ) -> AsyncIterator[LiveStream]:
        """Opens a live session and streams into it.

        Leaving the block ends the session and waits for its receipt; leaving it by an exception gives the stream
        up, and the session ends by the gateway's own rules.

        `patience_s`: how long a lost connection is tried again; the gateway keeps the session for 60 s by default.
        `max_held_bytes`: how much audio may be held, unsent or sent but not yet committed; 8 MiB are over 4 min at
        16 kHz mono. `on_warning`: complaints that end nothing.
        """
        opened: Dict[str, Any] = await self._http.json("POST", "v1/sessions", json=options)
        session_id: str = opened["id"]
        target = StreamTarget(
            session_id=session_id,
            audio=options.get("audio", {}),
            url=opened["stream"]["url"],
            # A key does not expire, unlike the token that comes with the address.
            headers=self._http.headers,
            read_session=lambda: self.session(session_id),
        )
        async with LiveStream(target, StreamSettings(patience_s, max_held_bytes, on_status, on_warning)) as stream:
            yield stream

    async def upload(
        self,
        file: Recording,
        *,
        name: Optional[str] = None,
        on_progress: Optional[OnProgress] = None,
        idempotency_key: Optional[str] = None,
        **options: Unpack[SessionOptions],
    ) -> Session:
        """Hands in a recording and gives the session it becomes, to be followed by `events`.

        `name`: what the file is called there. `on_progress(sent, total)`: bytes; `total` is None where it is not
        known. `idempotency_key`: the same key sent twice makes one session.
        """
        return await send_recording(
            self._http,
            file,
            options,
            name=name,
            on_progress=on_progress,
            idempotency_key=idempotency_key,
        )

    async def transcribe(
        self,
        file: Recording,
        *,
        name: Optional[str] = None,
        on_progress: Optional[OnProgress] = None,
        idempotency_key: Optional[str] = None,
        **options: Unpack[SessionOptions],
    ) -> Session:
        """Hands in a recording as `upload` does, and gives the session once it is done.

        Raises EarshotError with the code of the failure where it could not be worked through, and with `session`.
        """
        session = await self.upload(
            file, name=name, on_progress=on_progress, idempotency_key=idempotency_key, **options
        )
        return await self.finished(session["id"])

    async def finished(self, id: str) -> Session:
        """Waits until a session has ended, and gives it; raises as `transcribe` does."""
        async for _ in self.events(id):
            pass
        session = await self.session(id)
        if session["error"]:
            raise EarshotError(session["error"]["code"], session["error"]["message"], session=session)
        return session

    async def session(self, id: str) -> Session:
        """The session as it stands."""
        session: Session = await self._http.json("GET", _path_of(id))
        return session

    async def sessions(
        self,
        *,
        state: Optional[SessionState] = None,
        cursor: Optional[str] = None,
        limit: Optional[int] = None,
    ) -> SessionPage:
        """A page of sessions, newest first; `cursor` is the `nextCursor` of the page before."""
        query = {"state": state, "cursor": cursor, "limit": limit}
        page: SessionPage = await self._http.json("GET", "v1/sessions", query=query)
        return page

    async def transcript(self, id: str, format: TranscriptFormat = "text") -> str:
        """The transcript so far, as text in the given format."""
        return await self._http.text("GET", f"{_path_of(id)}/transcript", query={"format": format})

    def events(
        self, id: str, after: Optional[int] = None, *, patience_s: float = 300.0
    ) -> AsyncIterator[Union[Event, Reset]]:
        """A session's events, from its beginning or after a seq, then live, until its end.

        `patience_s`: how long a lost connection is tried again.
        """
        return session_events(self._http, quote(id, safe=""), after, patience_s)

    def feed(
        self, cursor: Union[str, int, None] = None, *, patience_s: float = float("inf")
    ) -> AsyncIterator[FeedEntry]:
        """Durable events of every session the key may see, with the cursor to go on from.

        `cursor`: that of the last entry dealt with; 0 from the oldest kept; None from now on.
        """
        return feed_entries(self._http, None if cursor is None else str(cursor), patience_s)

    async def delete(self, id: str) -> None:
        """Stops the work, closes its sockets and erases."""
        await self._http.text("DELETE", _path_of(id))


def _path_of(id: str) -> str:
    return f"v1/sessions/{quote(id, safe='')}"

"""Recordings as `multipart/form-data` (RFC 7578), sent while they are read."""

from __future__ import annotations

import asyncio
import json
import os
import uuid
from typing import (
    Any,
    AsyncIterable,
    AsyncIterator,
    BinaryIO,
    Callable,
    Dict,
    Mapping,
    Optional,
    Tuple,
    Union,
)

from .http import Http
from .types import Session

Recording = Union[str, "os.PathLike[str]", bytes, BinaryIO, AsyncIterable[bytes]]
"""A path, the bytes themselves, a file open for reading, or an async iterable for what is made while it is sent."""

OnProgress = Callable[[int, Optional[int]], None]
"""Told how many bytes were sent, of how many where that is known."""

_PIECE_BYTES = 64 * 1024


async def send_recording(
    http: Http,
    recording: Recording,
    options: Mapping[str, Any],
    *,
    name: Optional[str],
    on_progress: Optional[OnProgress],
    idempotency_key: Optional[str],
) -> Session:
    """Raises EarshotError the gateway's problem, or `unreachable`; what reading the recording raises."""
    pieces, size, own_name = await _opened(recording)
    boundary = f"earshot-{uuid.uuid4()}"
    head, tail = _frame(boundary, name or own_name, options)
    reading: Dict[str, BaseException] = {}

    async def body() -> AsyncIterator[bytes]:
        yield head
        sent = 0
        try:
            async for piece in pieces:
                yield piece
                sent += len(piece)
                if on_progress:
                    on_progress(sent, size)
        except Exception as error:
            reading["error"] = error
            raise
        yield tail

    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    if size is not None:
        headers["Content-Length"] = str(len(head) + size + len(tail))
    if idempotency_key:
        headers["Idempotency-Key"] = idempotency_key
    try:
        session: Session = await http.json("POST", "v1/sessions", content=body(), headers=headers)
        return session
    except Exception:
        # A file that cannot be read must not look like a gateway that cannot be reached.
        if broken := reading.get("error"):
            raise broken from None
        raise


def _frame(boundary: str, name: str, options: Mapping[str, Any]) -> Tuple[bytes, bytes]:
    """What stands before and after the recording. The options come first, so the gateway knows them in time."""
    # RFC 7578, section 2, by way of the URL standard: quotes and line ends in a name are percent-encoded.
    quoted = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    head = (
        f'--{boundary}\r\ncontent-disposition: form-data; name="options"\r\n'
        f"content-type: application/json\r\n\r\n{json.dumps(options)}\r\n"
        f'--{boundary}\r\ncontent-disposition: form-data; name="file"; filename="{quoted}"\r\n'
        "content-type: application/octet-stream\r\n\r\n"
    )
    return head.encode(), f"\r\n--{boundary}--\r\n".encode()


async def _opened(recording: Recording) -> Tuple[AsyncIterator[bytes], Optional[int], str]:
    """The recording's bytes, how many there are where that is known, and what it is called."""
    if isinstance(recording, bytes):
        return _bytes_of(recording), len(recording), "recording"
    if isinstance(recording, (str, os.PathLike)):
        status = await asyncio.to_thread(os.stat, recording)
        return _path_of(recording), status.st_size, os.path.basename(os.fspath(recording))
    if isinstance(recording, AsyncIterable):
        return recording.__aiter__(), None, "recording"
    return _file_of(recording), None, _name_of(recording)


async def _bytes_of(recording: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(recording), _PIECE_BYTES):
        yield recording[at : at + _PIECE_BYTES]


async def _path_of(path: Union[str, "os.PathLike[str]"]) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(open, path, "rb") as file:
        async for piece in _file_of(file):
            yield piece


async def _file_of(file: BinaryIO) -> AsyncIterator[bytes]:
    while piece := await asyncio.to_thread(file.read, _PIECE_BYTES):
        yield piece


def _name_of(file: BinaryIO) -> str:
    name = getattr(file, "name", None)
    return os.path.basename(name) if isinstance(name, str) else "recording"

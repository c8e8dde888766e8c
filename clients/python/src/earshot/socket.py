"""One WebSocket connection of a live stream."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Dict, Mapping, Optional, Union

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidURI, WebSocketException

from .connection import LOST, Loss
from .errors import EarshotError

HANDSHAKE_S = 10.0


class Lost(Exception):
    """The connection is gone; `loss` says how."""

    def __init__(self, loss: Loss) -> None:
        super().__init__(loss.code)
        self.loss = loss


class Socket:
    """Messages as dictionaries; what went wrong as `Lost`, with what the gateway said of it."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._last_words: Optional[EarshotError] = None

    @classmethod
    async def open(cls, url: str, headers: Mapping[str, str]) -> Socket:
        """Raises Lost where there is no connection in time, ValueError for what is no address of a WebSocket."""
        try:
            # What the gateway sends is bounded by an utterance, not by a frame size; audio hardly compresses.
            return cls(
                await connect(
                    url,
                    additional_headers=headers,
                    open_timeout=HANDSHAKE_S,
                    compression=None,
                    max_size=None,
                )
            )
        except InvalidURI as error:
            raise ValueError(str(error)) from error
        except (OSError, WebSocketException, asyncio.TimeoutError) as error:
            raise Lost(Loss(LOST)) from error

    async def send(self, data: Union[str, bytes]) -> None:
        """Waits while the network takes no more."""
        try:
            await self._connection.send(data)
        except ConnectionClosed as closed:
            raise self._lost(closed) from closed

    async def receive(self, within_s: float) -> Dict[str, Any]:
        """The next message; an `error` that ends the connection is kept for the `Lost` that follows."""
        while True:
            try:
                text = await asyncio.wait_for(self._connection.recv(), within_s)
            except ConnectionClosed as closed:
                raise self._lost(closed) from closed
            except asyncio.TimeoutError as error:
                raise Lost(Loss(LOST, self._last_words)) from error
            message = _parsed(text)
            if message["type"] != "error" or not message.get("fatal"):
                return message
            self._last_words = error_of(message)

    async def close(self) -> None:
        """Says goodbye where all is well."""
        await self._connection.close()

    def drop(self) -> None:
        """Lets go without waiting for a peer that may be gone."""
        self._connection.transport.abort()

    def _lost(self, closed: ConnectionClosed) -> Lost:
        return Lost(Loss(closed.rcvd.code if closed.rcvd else LOST, self._last_words))


def error_of(message: Mapping[str, Any]) -> EarshotError:
    """An `error` message as what it tells."""
    retry_after_ms = message.get("retryAfterMs")
    retry_after_s = None if retry_after_ms is None else retry_after_ms / 1000
    return EarshotError(message["code"], message["message"], retry_after_s=retry_after_s)


def _parsed(text: Union[str, bytes]) -> Dict[str, Any]:
    try:
        message = json.loads(text)
        if isinstance(message, dict) and isinstance(message.get("type"), str):
            return message
    except ValueError:
        pass
    complaint = "a message of the gateway is not one of this protocol"
    return {"type": "error", "code": "unexpected_answer", "message": complaint, "fatal": False}

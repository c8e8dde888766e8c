"""Requests with the gateway's address and key, and its problems as errors."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import Any, AsyncIterator, Dict, Mapping, Optional
from urllib.parse import urlsplit

import httpx

from .errors import EarshotError

CONNECT_S = 10.0
ANSWER_S = 60.0


class Http:
    """One pool of connections to one gateway. A path in its address is kept, so one behind a prefix works."""

    def __init__(self, url: str, api_key: Optional[str]) -> None:
        address = urlsplit(url)
        if address.scheme not in ("http", "https") or not address.netloc:
            raise ValueError(f"the address of a gateway begins with http:// or https://, unlike {url!r}")
        self.headers: Dict[str, str] = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._client = httpx.AsyncClient(
            base_url=url if url.endswith("/") else f"{url}/",
            headers=self.headers,
            timeout=httpx.Timeout(ANSWER_S, connect=CONNECT_S, pool=None),
            # Followed streams hold their connections, and there may be any number of them.
            limits=httpx.Limits(max_connections=None),
        )

    async def close(self) -> None:
        """Closes all connections."""
        await self._client.aclose()

    @asynccontextmanager
    async def open(
        self,
        method: str,
        path: str,
        *,
        query: Optional[Mapping[str, Any]] = None,
        headers: Optional[Mapping[str, str]] = None,
        read_s: float = ANSWER_S,
        **body: Any,
    ) -> AsyncIterator[httpx.Response]:
        """Sends a request and gives its successful answer, whose body is still to be read.

        Raises EarshotError: the gateway's problem by its code, or `unreachable`; `connection_lost` where the body
        breaks off.
        """
        params = {name: value for name, value in (query or {}).items() if value is not None}
        request = self._client.build_request(
            method,
            path,
            params=params,
            headers=headers,
            timeout=httpx.Timeout(ANSWER_S, connect=CONNECT_S, pool=None, read=read_s),
            **body,
        )
        try:
            response = await self._client.send(request, stream=True)
        except httpx.TransportError as error:
            raise EarshotError("unreachable", f"no answer from {request.url.host}: {error}") from error
        try:
            if response.is_success:
                yield response
            else:
                raise problem_of(
                    response.status_code,
                    response.headers,
                    (await response.aread()).decode("utf-8", "replace"),
                )
        except httpx.TransportError as error:
            raise EarshotError("connection_lost", f"the answer broke off: {error}") from error
        finally:
            await response.aclose()

    async def text(self, method: str, path: str, **options: Any) -> str:
        """Sends a request and reads its answer."""
        async with self.open(method, path, **options) as response:
            return (await response.aread()).decode("utf-8", "replace")

    async def json(self, method: str, path: str, **options: Any) -> Any:
        """Sends a request and reads a JSON answer."""
        return parse_answer(await self.text(method, path, **options))


def parse_answer(text: str) -> Any:
    """Raises EarshotError `unexpected_answer` where it is not JSON."""
    try:
        return json.loads(text)
    except ValueError as error:
        message = "the answer is not JSON: is this the address of an Earshot gateway?"
        raise EarshotError("unexpected_answer", message) from error


def problem_of(status: int, headers: Mapping[str, str], text: str) -> EarshotError:
    """Reads `application/problem+json` (RFC 9457) with the gateway's `code` and `requestId`."""
    retry_after = headers.get("retry-after", "")
    retry_after_s = float(retry_after) if retry_after.isdecimal() else None
    try:
        problem = json.loads(text)
    except ValueError:
        # Not from the gateway: a proxy's page, most likely. The status is all there is to go by.
        problem = None
    if not isinstance(problem, dict) or not isinstance(problem.get("code"), str):
        code = "overloaded" if status in (502, 503, 504) else "unexpected_answer"
        return EarshotError(code, f"the answer was HTTP {status}", status=status, retry_after_s=retry_after_s)
    return EarshotError(
        problem["code"],
        str(problem.get("detail") or problem.get("title") or problem["code"]),
        status=status,
        request_id=problem.get("requestId"),
        retry_after_s=retry_after_s,
    )

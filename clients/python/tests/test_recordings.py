"""Recordings, sessions and streams of events at a real gateway."""

from __future__ import annotations

import asyncio
import io
import uuid
from pathlib import Path
from typing import AsyncIterator, List, Optional, Tuple

import pytest
from network import Network
from speech import FIXTURES, SAID, TRANSCRIPTS

from earshot import Earshot, EarshotError, FeedEntry

CLIP = FIXTURES / "austen-0880.wav"


async def test_a_recording_is_transcribed_and_its_upload_told(client: Earshot) -> None:
    told: List[Tuple[int, Optional[int]]] = []
    session = await client.transcribe(
        CLIP, language="en", metadata={"from": "python"}, on_progress=lambda *so_far: told.append(so_far)
    )
    assert (session["state"], session["text"]) == ("DONE", SAID[0])
    assert session["metadata"] == {"from": "python"}
    size = CLIP.stat().st_size
    assert told[-1] == (size, size)
    assert [sent for sent, _ in told] == sorted(sent for sent, _ in told)
    assert await client.transcript(session["id"]) == f"{SAID[0]}\n"
    assert "-->" in await client.transcript(session["id"], "vtt")


async def test_bytes_open_files_and_iterables_are_taken_too(client: Earshot) -> None:
    data = CLIP.read_bytes()

    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(data), 50_000):
            yield data[at : at + 50_000]
            await asyncio.sleep(0)

    for recording in (data, io.BytesIO(data), pieces(), str(CLIP)):
        session = await client.transcribe(recording, language="en", name='odd "name"\r\n.wav')
        assert session["text"] == TRANSCRIPTS["austen-0880.wav"]["text"]


async def test_the_same_idempotency_key_makes_one_session(client: Earshot) -> None:
    key = str(uuid.uuid4())
    first = await client.upload(CLIP, idempotency_key=key)
    second = await client.upload(CLIP, idempotency_key=key)
    assert first["id"] == second["id"]


async def test_what_is_no_audio_is_refused_with_its_code(client: Earshot) -> None:
    with pytest.raises(EarshotError) as raised:
        await client.transcribe(b"this is text" * 100)
    assert (raised.value.code, raised.value.status) == ("audio_undecodable", 415)
    assert raised.value.request_id


async def test_a_recording_found_damaged_later_fails_with_its_session(client: Earshot) -> None:
    damaged = (FIXTURES / "containers" / "speech.flac").read_bytes()[:60] + bytes(5000)
    with pytest.raises(EarshotError) as raised:
        await client.transcribe(damaged)
    assert raised.value.code == "audio_undecodable"
    assert raised.value.session and raised.value.session["state"] == "FAILED"


async def test_a_file_that_cannot_be_read_is_not_taken_for_a_gateway_that_cannot(
    client: Earshot, tmp_path: Path
) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield bytes(10)
        raise OSError("disk error")

    with pytest.raises(OSError, match="disk error"):
        await client.upload(broken())
    with pytest.raises(FileNotFoundError):
        await client.upload(tmp_path / "missing.wav")


async def test_sessions_are_listed_page_by_page_and_deleted(client: Earshot) -> None:
    ids = [(await client.transcribe(CLIP, language="en"))["id"] for _ in range(2)]
    page = await client.sessions(state="DONE", limit=1)
    assert [session["id"] for session in page["items"]] == ids[1:]
    older = await client.sessions(state="DONE", limit=1, cursor=page["nextCursor"])
    assert [session["id"] for session in older["items"]] == ids[:1]
    await client.delete(ids[0])
    with pytest.raises(EarshotError) as raised:
        await client.session(ids[0])
    assert (raised.value.code, raised.value.status) == ("not_found", 404)


async def test_events_are_read_once_and_in_order_wherever_the_connection_breaks(
    client: Earshot, network: Network, key: Optional[str]
) -> None:
    session = await client.transcribe(CLIP, language="en")
    assert session["receipt"]
    wanted = list(range(1, session["receipt"]["lastSeq"] + 1))
    for limits in ([], [0, 420], [30, 500, 700]):
        network.answer_limits = list(limits)
        async with Earshot(network.url, key) as far:
            seqs = [event.get("seq") async for event in far.events(session["id"])]
        assert seqs == wanted
        assert network.answer_limits == []
    assert [event.get("seq") async for event in client.events(session["id"], after=1)] == wanted[1:]
    assert [event async for event in client.events(session["id"], after=wanted[-1])] == []


async def test_the_feed_goes_on_from_its_cursor_over_a_network_that_breaks(
    client: Earshot, network: Network, key: Optional[str]
) -> None:
    session = await client.transcribe(CLIP, language="en")

    async def read(cursor: str, limits: List[int]) -> List[FeedEntry]:
        entries: List[FeedEntry] = []
        network.answer_limits = limits
        async with Earshot(network.url, key) as far:
            async for entry in far.feed(cursor):
                if entry.event["type"] != "reset" and entry.event["sessionId"] == session["id"]:
                    entries.append(entry)
                    if entry.event["type"] == "session.done":
                        break
        assert network.answer_limits == []
        return entries

    entries = await read("0", [100, 900])
    seqs = [entry.event.get("seq") for entry in entries]
    assert seqs == list(range(1, len(seqs) + 1))
    rest = await read(entries[0].cursor, [300])
    assert [entry.event.get("seq") for entry in rest] == seqs[1:]


async def test_a_cursor_that_leads_nowhere_is_told_and_all_that_is_kept_follows(client: Earshot) -> None:
    session = await client.transcribe(CLIP, language="en")
    seen: List[FeedEntry] = []
    async for entry in client.feed("nonsense"):
        seen.append(entry)
        if entry.event["type"] == "reset":
            assert len(seen) == 1
        elif entry.event["type"] == "session.done" and entry.event["sessionId"] == session["id"]:
            break
    assert seen[0].event == {"type": "reset"}


async def test_a_lost_connection_is_given_up_when_patience_is_over(far: Earshot, network: Network) -> None:
    async with far.stream() as stream:
        await stream.send(bytes(3200))
        events = far.events(stream.session_id, patience_s=0.5)
        await events.__anext__()
        network.is_down = True
        network.cut()
        with pytest.raises(EarshotError) as raised:
            async for _ in events:
                pass
        network.is_down = False
    assert raised.value.code == "connection_lost"


async def test_who_is_not_there_or_not_allowed_is_told_at_once(url: str, key: Optional[str]) -> None:
    async with Earshot("http://127.0.0.1:1") as nobody:
        for attempt in (
            nobody.session("ses_1"),
            nobody.upload(bytes(10)),
            nobody.events("ses_1").__anext__(),
        ):
            with pytest.raises(EarshotError) as raised:
                await attempt
            assert raised.value.code == "unreachable"
    async with Earshot(url, "not the key") as stranger:
        with pytest.raises(EarshotError) as raised:
            async with stranger.stream():
                pass
        assert (raised.value.code, raised.value.status) == ("unauthorized", 401)
    with pytest.raises(ValueError):
        Earshot("ftp://example.org")


async def test_an_address_where_something_else_answers_is_recognised() -> None:
    async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        status = "502 Bad Gateway\r\nretry-after: 7" if "/ses_2" in request else "200 OK"
        writer.write(f"HTTP/1.1 {status}\r\ncontent-length: 6\r\nconnection: close\r\n\r\n<html>".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(page, "127.0.0.1", 0)
    async with Earshot(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/speech") as client:
        with pytest.raises(EarshotError) as raised:
            await client.session("ses_1")
        assert raised.value.code == "unexpected_answer"
        with pytest.raises(EarshotError) as raised:
            await client.session("ses_2")
        assert (raised.value.code, raised.value.status, raised.value.retry_after_s) == ("overloaded", 502, 7)
    server.close()

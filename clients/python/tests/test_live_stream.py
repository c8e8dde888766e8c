"""Streaming into a real gateway, over a network that works and over one that does not."""

from __future__ import annotations

import asyncio
from typing import Any, List, Optional, Tuple

import pytest
from network import Network
from speech import SAID, pcm_of, silence, speak, talk, until
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from earshot import Earshot, EarshotError, LiveStream, Receipt

Spoken = Tuple[List[str], List[int], Receipt]


async def finals_of(stream: LiveStream) -> Tuple[List[str], List[int]]:
    """The texts of the finals, and the seqs of everything durable."""
    texts: List[str] = []
    seqs: List[int] = []
    async for event in stream:
        if event["type"] == "transcript.final":
            texts.append(event["text"])
        seq = event.get("seq")
        if isinstance(seq, int):
            seqs.append(seq)
    return texts, seqs


async def spoken(client: Earshot, network: Optional[Network], cuts: int) -> Spoken:
    """Speaks, with the network cut in the middle of the first clip and again later."""
    audio, middle = talk()
    async with client.stream(language="en", partials=False) as stream:
        heard = asyncio.ensure_future(finals_of(stream))
        await speak(stream, audio[:middle])
        for cut in range(cuts):
            assert network
            await until(lambda: stream.status == "open")
            network.cut()
            await until(lambda: stream.status == "reconnecting")
            step = 8000 * cut
            await speak(stream, audio[middle + step : middle + step + 8000])
        await speak(stream, audio[middle + 8000 * cuts :])
        receipt = await stream.end()
        return (*await heard, receipt)


async def test_finals_after_cuts_in_the_middle_of_speech_are_those_of_an_uncut_run(
    client: Earshot, far: Earshot, network: Network
) -> None:
    texts, seqs, receipt = await spoken(client, None, cuts=0)
    assert texts == SAID
    assert seqs == list(range(1, receipt["lastSeq"] + 1))
    cut_texts, cut_seqs, cut_receipt = await spoken(far, network, cuts=3)
    assert network.streams >= 4
    assert cut_texts == texts
    assert cut_seqs == list(range(1, cut_receipt["lastSeq"] + 1))
    assert cut_receipt["receivedMs"] == receipt["receivedMs"]
    assert cut_receipt["finals"] == receipt["finals"]


async def test_what_is_said_while_there_is_no_connection_is_sent_later(far: Earshot, network: Network) -> None:
    audio, middle = talk()
    async with far.stream(language="en") as stream:
        heard = asyncio.ensure_future(finals_of(stream))
        await speak(stream, audio[:middle])
        await until(lambda: stream.status == "open")
        network.is_down = True
        network.cut()
        # Less than there is room for: nobody waits, and the end is asked for without a connection.
        await stream.send(audio[middle : middle + 200_000])
        rest = asyncio.ensure_future(stream.send(audio[middle + 200_000 :]))
        await until(lambda: stream.status == "reconnecting")
        network.is_down = False
        await rest
        receipt = await stream.end()
    assert (await heard)[0] == SAID
    assert receipt["receivedMs"] == len(audio) // 32


@pytest.mark.parametrize("code,error", [(1012, "shutting_down"), (1013, "overloaded")])
async def test_a_gateway_that_restarts_or_is_busy_is_asked_again(
    far: Earshot, network: Network, code: int, error: str
) -> None:
    async def busy(connection: ServerConnection) -> None:
        await connection.send(f'{{"type":"error","code":"{error}","message":"later","fatal":true,"retryAfterMs":10}}')
        await connection.close(code)

    async with serve(busy, "127.0.0.1", 0) as elsewhere:
        network.detours = [elsewhere.sockets[0].getsockname()[1]] * 2
        async with far.stream() as stream:
            await stream.send(silence(500))
            receipt = await stream.end()
    assert network.streams == 3
    assert receipt["receivedMs"] == 500


async def test_a_complaint_is_passed_on_and_ends_nothing(far: Earshot, network: Network) -> None:
    async def odd(connection: ServerConnection) -> None:
        await connection.send("no JSON")
        await connection.send('{"type":"error","code":"bad_message","message":"what?","fatal":false}')
        await connection.close(1012)

    complaints: List[EarshotError] = []
    async with serve(odd, "127.0.0.1", 0) as elsewhere:
        network.detours = [elsewhere.sockets[0].getsockname()[1]]
        async with far.stream(on_warning=complaints.append) as stream:
            await stream.send(silence(100))
    assert [complaint.code for complaint in complaints] == ["unexpected_answer", "bad_message"]
    assert stream.status == "done"


async def test_a_newer_connection_takes_over_and_the_older_says_so(client: Earshot, url: str) -> None:
    with pytest.raises(EarshotError) as raised:
        async with client.stream() as stream:
            await stream.send(silence(100))
            await until(lambda: stream.status == "open")
            address = f"{url.replace('http', 'ws', 1)}/v1/sessions/{stream.session_id}/stream"
            async with connect(address, additional_headers=client._http.headers):
                async for _ in stream:
                    pass
    assert raised.value.code == "replaced"
    assert raised.value.session and raised.value.session["id"] == stream.session_id


async def test_a_session_that_is_deleted_ends_its_stream(client: Earshot) -> None:
    with pytest.raises(EarshotError) as raised:
        async with client.stream() as stream:
            await stream.send(silence(100))
            await until(lambda: stream.status == "open")
            await client.delete(stream.session_id)
            await stream.end()
    assert raised.value.code == "session_ended"
    with pytest.raises(EarshotError, match="session_ended"):
        await stream.send(silence(100))


async def test_a_session_that_ended_meanwhile_is_told_to_the_end(
    client: Earshot, far: Earshot, network: Network, url: str
) -> None:
    async with far.stream(language="en") as stream:
        await speak(stream, talk()[0])
        network.is_down = True
        network.cut()
        await until(lambda: stream.status == "reconnecting")
        address = f"{url.replace('http', 'ws', 1)}/v1/sessions/{stream.session_id}/stream"
        async with connect(address, additional_headers=client._http.headers) as other:
            await other.send('{"type":"audio.end"}')
            async for _ in other:
                pass
        network.is_down = False
        texts, seqs = await finals_of(stream)
    assert stream.status == "done"
    assert seqs == list(range(1, seqs[-1] + 1))
    session = await client.session(stream.session_id)
    assert texts == [utterance["text"] for utterance in session["utterances"]]


async def test_a_container_that_broke_off_is_not_taken_up_again(far: Earshot, network: Network) -> None:
    with pytest.raises(EarshotError) as raised:
        async with far.stream(audio={"encoding": "container"}) as stream:
            await stream.send(b"RIFF")
            await until(lambda: stream.status == "open")
            network.cut()
            await stream.end()
    assert raised.value.code == "not_resumable"


async def test_gives_up_when_patience_is_over(far: Earshot, network: Network) -> None:
    with pytest.raises(EarshotError) as raised:
        async with far.stream(patience_s=0.5) as stream:
            await stream.send(silence(100))
            await until(lambda: stream.status == "open")
            network.is_down = True
            network.cut()
            async for _ in stream:
                pass
    assert raised.value.code == "connection_lost"


async def test_a_commit_ends_the_utterance_where_it_is_made(client: Earshot) -> None:
    clip = pcm_of("austen-0880.wav")
    async with client.stream(language="en", endpointing={"silenceMs": 5000}) as stream:
        await stream.send(clip)
        await stream.commit()
        await stream.send(silence(1000))
        await until(lambda: stream.status == "open")
        async for event in stream:
            if event["type"] == "transcript.final":
                assert event["text"] == SAID[0]
                break
        # Reading goes on where it was left.
        receipt = await stream.end()
        types = [event["type"] async for event in stream]
    assert types[-1] == "session.done"
    assert receipt["finals"] == 1


async def test_a_source_faster_than_the_network_waits(far: Earshot, network: Network) -> None:
    async with far.stream(max_held_bytes=512 * 1024) as stream:
        await stream.send(silence(100))
        await until(lambda: stream.status == "open")
        network.is_down = True
        network.cut()
        await until(lambda: stream.status == "reconnecting")
        flood = asyncio.ensure_future(stream.send(silence(60_000)))
        await asyncio.sleep(0.2)
        assert not flood.done()
        assert stream._transmitter._tail.held_bytes <= 512 * 1024
        network.is_down = False
        await flood
        receipt = await stream.end()
    assert receipt["receivedMs"] == 60_100


async def test_leaving_by_an_exception_gives_the_stream_up(client: Earshot) -> None:
    with pytest.raises(KeyError):
        async with client.stream() as stream:
            await stream.send(silence(100))
            raise KeyError
    assert stream.status == "failed"
    with pytest.raises(EarshotError, match="aborted"):
        await stream.end()


async def test_a_listener_that_raises_ends_the_stream_with_what_it_raised(client: Earshot) -> None:
    def broken(status: str) -> None:
        if status in ("open", "ending"):
            raise ZeroDivisionError("in the listener")

    with pytest.raises(EarshotError, match="in the listener") as raised:
        async with client.stream(on_status=broken) as stream:
            await stream.end()
    assert isinstance(raised.value.__cause__, ZeroDivisionError)


async def test_takes_no_audio_after_the_end_and_no_second_reader(client: Earshot) -> None:
    async with client.stream() as stream:
        first: Any = asyncio.ensure_future(finals_of(stream))
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError):
            await finals_of(stream)
        await stream.end()
        with pytest.raises(EarshotError, match="session_ended"):
            await stream.send(silence(100))
        await first


async def test_options_the_gateway_does_not_know_are_refused_by_name(client: Earshot) -> None:
    options: Any = {"colour": "red"}
    with pytest.raises(EarshotError, match="colour") as raised:
        async with client.stream(**options):
            pass
    assert (raised.value.code, raised.value.status) == ("unsupported_option", 400)
    with pytest.raises(ValueError):
        async with client.stream(max_held_bytes=1000):
            pass

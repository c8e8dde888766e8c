"""Deepgram's own SDK for Python, unchanged, told the gateway's address and a key."""

import asyncio

import pytest
from deepgram import AsyncDeepgramClient, DeepgramClient
from deepgram.core.api_error import ApiError
from deepgram.core.events import EventType
from deepgram.environment import DeepgramClientEnvironment

from speech import KEY, SPEECH, URL, WS_URL, is_what_was_said, pcm, pieces

ENVIRONMENT = DeepgramClientEnvironment(base=URL, production=WS_URL, agent=WS_URL, agent_rest=URL)
AUDIO, RATE = pcm(tail_s=2.5)
LIVE = {"model": "nova-3", "encoding": "linear16", "sample_rate": RATE}
WITHIN_S = 60


def text_of(messages) -> str:
    finals = [message for message in messages if message.type == "Results" and message.is_final]
    return " ".join(final.channel.alternatives[0].transcript for final in finals)


@pytest.fixture
def client() -> DeepgramClient:
    return DeepgramClient(api_key=KEY, environment=ENVIRONMENT)


@pytest.fixture
def async_client() -> AsyncDeepgramClient:
    return AsyncDeepgramClient(api_key=KEY, environment=ENVIRONMENT)


async def test_live(async_client):
    messages = []
    wishes = {
        "language": "en-US",
        "interim_results": True,
        "smart_format": True,
        "vad_events": True,
        "utterance_end_ms": 1000,
        "endpointing": 300,
        "keyterm": ["ill-disposed"],
    }
    async with async_client.listen.v1.connect(**LIVE, **wishes) as connection:
        connection.on(EventType.MESSAGE, messages.append)
        listening = asyncio.create_task(connection.start_listening())
        for piece in pieces(AUDIO, RATE // 5 * 2):
            await connection.send_media(piece)
        await connection.send_keep_alive()
        await connection.send_close_stream()
        await asyncio.wait_for(listening, WITHIN_S)
    assert is_what_was_said(text_of(messages))
    assert {message.type for message in messages} == {"SpeechStarted", "Results", "UtteranceEnd", "Metadata"}
    assert messages[-1].type == "Metadata"
    assert messages[-1].duration == pytest.approx(len(AUDIO) / 2 / RATE, abs=0.01)


async def test_finalize(async_client):
    async with async_client.listen.v1.connect(**LIVE) as connection:
        for piece in pieces(AUDIO[: -5 * RATE], RATE // 5 * 2):
            await connection.send_media(piece)
        await connection.send_finalize()
        heard = []
        while not heard or not heard[-1].from_finalize:
            heard.append(await asyncio.wait_for(connection.recv(), WITHIN_S))
        await connection.send_close_stream()
    assert is_what_was_said(text_of(heard))


def test_live_without_asyncio(client):
    messages = []
    with client.listen.v1.connect(**LIVE) as connection:
        connection.on(EventType.MESSAGE, messages.append)
        for piece in pieces(AUDIO, RATE // 5 * 2):
            connection.send_media(piece)
        connection.send_close_stream()
        connection.start_listening()
    assert is_what_was_said(text_of(messages))


async def test_live_refusal(async_client):
    with pytest.raises(ApiError) as refused:
        async with async_client.listen.v1.connect(**LIVE, diarize=True):
            pass
    # Of a refused handshake the SDK keeps nothing but the status.
    assert refused.value.status_code == 400


def test_grant(client):
    granted = client.auth.v1.tokens.grant(ttl_seconds=60)
    assert granted.expires_in == 60
    messages = []
    bearer = DeepgramClient(access_token=granted.access_token, environment=ENVIRONMENT)
    with bearer.listen.v1.connect(**LIVE) as connection:
        connection.on(EventType.MESSAGE, messages.append)
        connection.send_close_stream()
        connection.start_listening()
    assert [message.type for message in messages] == ["Metadata"]


def test_recording(client):
    answer = client.listen.v1.media.transcribe_file(
        request=SPEECH.read_bytes(), model="nova-3", smart_format=True, utterances=True
    )
    assert is_what_was_said(answer.results.channels[0].alternatives[0].transcript)
    assert answer.results.utterances
    assert answer.metadata.channels == 1


async def test_recording_refusal(async_client):
    with pytest.raises(ApiError) as refused:
        await async_client.listen.v1.media.transcribe_file(request=SPEECH.read_bytes(), summarize="v2")
    assert refused.value.status_code == 400
    assert "summarize" in refused.value.body["err_msg"]

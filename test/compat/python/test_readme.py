"""The README's clients, as it makes them: each has to find the gateway."""

import re
from pathlib import Path

import pytest
from livekit import rtc
from livekit.agents.utils import http_context

from speech import KEY, SPEECH, URL, WS_URL, is_what_was_said, pcm
from test_pipecat import listen

README = Path(__file__).parents[3] / "README.md"


@pytest.fixture
async def clients():
    """What the example names, made where LiveKit finds its HTTP session."""
    blocks = re.findall(r"^```python\n(.*?)^```$", README.read_text("utf-8"), re.M | re.S)
    [example] = [block for block in blocks if "pipecat" in block]
    here = example.replace("a-key-of-yours", KEY)
    here = here.replace("http://127.0.0.1:8080", URL).replace("ws://127.0.0.1:8080", WS_URL)
    async with http_context.open():
        names = {}
        exec(here, names)
        yield names


async def test_sdks(clients):
    with SPEECH.open("rb") as file:
        heard = clients["sdk_openai"].audio.transcriptions.create(model="whisper-1", file=file)
    assert is_what_was_said(heard.text)
    heard = clients["sdk_deepgram"].listen.v1.media.transcribe_file(request=SPEECH.read_bytes(), model="nova-3")
    assert is_what_was_said(heard.results.channels[0].alternatives[0].transcript)


@pytest.mark.parametrize("name", ["livekit_openai", "livekit_deepgram"])
async def test_livekit(clients, name):
    audio, rate = pcm()
    event = await clients[name].recognize(rtc.AudioFrame(audio, rate, 1, len(audio) // 2))
    assert is_what_was_said(event.alternatives[0].text)


@pytest.mark.parametrize("name", ["pipecat_openai", "pipecat_deepgram"])
async def test_pipecat(clients, name):
    await listen(clients[name], tells_of_speech=name == "pipecat_openai")

"""The main path, with the recogniser and the language model of the gateway itself."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import List

import pytest
from speech import SAID, pcm_of, silence, speak, words_of

from earshot import Earshot

pytestmark = pytest.mark.recogniser


async def test_words_come_while_they_are_spoken_then_for_good_then_an_answer(client: Earshot) -> None:
    types: List[str] = []
    texts: List[str] = []
    tokens: List[str] = []
    answer = ""
    async with client.stream(language="auto", llm={"trigger": "sessionEnd", "maxTokens": 16}) as stream:
        await speak(stream, pcm_of("austen-0880.wav") + silence(1000))
        receipt = await stream.end()
        async for event in stream:
            types.append(event["type"])
            if event["type"] == "transcript.final":
                texts.append(event["text"])
            elif event["type"] == "llm.token":
                tokens.append(event["delta"])
            elif event["type"] == "llm.done":
                answer = event["text"]
    heard = SequenceMatcher(None, words_of(" ".join(texts)), words_of(SAID[0])).ratio()
    assert heard > 0.9
    assert "transcript.partial" in types and types[-1] == "session.done"
    assert "".join(tokens) == answer != ""
    parts = receipt["transcribedMs"] + receipt["silenceMs"] + receipt["suppressedMs"]
    assert receipt["receivedMs"] == parts

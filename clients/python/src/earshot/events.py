"""What happens, exactly as it is on the wire: told apart by `type`, and type checkers narrow by it."""

from __future__ import annotations

from typing import List, Literal, NamedTuple, Optional, TypedDict, Union

from .types import AudioFormat, Failure, Receipt, Word


class _Hint(TypedDict):
    sessionId: str
    at: str


class _Durable(_Hint):
    seq: int


class SessionStarted(_Durable):
    """The first audio came."""

    type: Literal["session.started"]
    audio: AudioFormat
    language: str
    model: str


class SpeechStarted(_Hint):
    """Somebody begins to speak."""

    type: Literal["speech.started"]
    utteranceId: str
    startMs: int


class TranscriptPartial(_Hint):
    """The whole current hypothesis; its first `stableChars` characters will not change."""

    type: Literal["transcript.partial"]
    utteranceId: str
    startMs: int
    endMs: int
    text: str
    stableChars: int


class _TranscriptFinal(_Durable):
    type: Literal["transcript.final"]
    utteranceId: str
    startMs: int
    endMs: int
    text: str
    language: str
    confidence: Optional[float]


class TranscriptFinal(_TranscriptFinal, total=False):
    """An utterance's text for good; `words` only where they were asked for."""

    words: List[Word]


class TranscriptSuppressed(_Durable):
    """What a guard held back, and why."""

    type: Literal["transcript.suppressed"]
    utteranceId: str
    startMs: int
    endMs: int
    reason: str
    text: str


class LlmToken(_Durable):
    """`index` counts a response's events from 0; `utteranceId` is None when it answers the whole session."""

    type: Literal["llm.token"]
    responseId: str
    utteranceId: Optional[str]
    index: int
    delta: str


class Usage(TypedDict):
    """What an answer cost."""

    promptTokens: int
    completionTokens: int


class _LlmDone(_Durable):
    type: Literal["llm.done"]
    responseId: str
    utteranceId: Optional[str]
    text: str
    finishReason: Literal["stop", "length"]
    usage: Usage


class LlmDone(_LlmDone, total=False):
    """`droppedChars`: how many characters of the transcript's beginning did not fit the model's context."""

    droppedChars: int


class LlmFailed(_Durable):
    """The language model gave no answer, or broke off."""

    type: Literal["llm.failed"]
    responseId: str
    utteranceId: Optional[str]
    code: str
    message: str


class SessionProgress(_Hint):
    """How far a recording has been worked through."""

    type: Literal["session.progress"]
    processedMs: int
    durationMs: Optional[int]


class SessionDone(_Durable):
    """The session has ended, and everything said is stored."""

    type: Literal["session.done"]
    receipt: Receipt


class SessionFailed(_Durable):
    """The session has ended before all of it could be worked through."""

    type: Literal["session.failed"]
    error: Failure
    receipt: Receipt


class SessionSent(_Durable):
    """The webhook answered 2xx."""

    type: Literal["session.sent"]
    attempts: int


class Reset(TypedDict):
    """The cursor is older than what is kept: events are missing before the ones that follow."""

    type: Literal["reset"]


DurableEvent = Union[
    SessionStarted,
    TranscriptFinal,
    TranscriptSuppressed,
    LlmToken,
    LlmDone,
    LlmFailed,
    SessionDone,
    SessionFailed,
    SessionSent,
]
"""Facts: they carry a `seq`, counted from 1 without holes, and come exactly once."""

HintEvent = Union[SpeechStarted, TranscriptPartial, SessionProgress]
"""True when sent and soon outdated; may be left out."""

Event = Union[DurableEvent, HintEvent]
"""What happens in a session; `event["type"]` tells which."""


class FeedEntry(NamedTuple):
    """An event of any session the key may see, with the cursor to go on from."""

    cursor: str
    event: Union[DurableEvent, Reset]

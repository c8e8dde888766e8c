"""Client of the Earshot gateway: live speech in, words while they are spoken."""

from .client import Earshot
from .errors import EarshotError
from .events import DurableEvent, Event, FeedEntry, Reset
from .live_stream import LiveStream
from .types import AudioFormat, Endpointing, LlmOptions, Receipt, Session, Utterance, Word

__all__ = [
    "AudioFormat",
    "DurableEvent",
    "Earshot",
    "EarshotError",
    "Endpointing",
    "Event",
    "FeedEntry",
    "LiveStream",
    "LlmOptions",
    "Receipt",
    "Reset",
    "Session",
    "Utterance",
    "Word",
]

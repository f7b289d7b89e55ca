"""What readers of a stream of frames have in common: each frame is read until one breaks the answer."""

from collections.abc import Callable

from yibu.dialects._sse import Frame
from yibu.hub.errors import UpstreamError
from yibu.hub.events import Event

Cut = Callable[[], list[Frame]]
Read = Callable[[Frame, list[Event]], None]
Fail = Callable[[UpstreamError, list[Event]], None]


def read_frames(cut: Cut, read: Read, fail: Fail) -> list[Event]:
    """The events of the frames that `cut` gives; an `UpstreamError` of `cut` or `read` is told to `fail`, which ends the answer."""
    out: list[Event] = []
    try:
        for frame in cut():
            read(frame, out)
    except UpstreamError as error:
        fail(error, out)
    return out

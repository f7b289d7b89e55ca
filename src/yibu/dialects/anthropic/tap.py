"""Listens to an answer that is passed on as it is: learns its usage and its end. Nothing in it has to be hidden, because
this format always tells its usage."""

import msgspec

from yibu.dialects._json import present
from yibu.dialects._sse import MAX_FRAME_BYTES, Frame, Frames
from yibu.dialects._whole import WholeTap, chat_look
from yibu.dialects.anthropic.errors import error_in_body
from yibu.dialects.anthropic.events import EVENT, MESSAGE, StreamEvent, words
from yibu.dialects.anthropic.reply import decode_reply
from yibu.dialects.anthropic.usage import Tally
from yibu.dialects.dialect import Intent, Tap
from yibu.hub.errors import Broken, HubError
from yibu.hub.usage import Usage


def make_tap(intent: Intent) -> Tap:
    """A tap for the answer to `intent`."""
    return StreamTap() if intent.is_stream else WholeTap(chat_look(decode_reply))


class _Block(msgspec.Struct):
    type: str | None = None


_BLOCK = msgspec.json.Decoder(_Block)


class StreamTap:
    """Memory: one frame at most. Everything is forwarded as the same object."""

    def __init__(self) -> None:
        self.is_finished = False
        self.failed: HubError | None = None
        self.is_told = False
        self._tally = Tally()
        self._is_call = False
        self._frames: Frames | None = Frames()

    @property
    def usage(self) -> Usage | None:
        return self._tally.usage

    @property
    def text_units(self) -> int:
        return self._tally.meter.tokens

    def feed(self, chunk: bytes) -> bytes:
        if self._frames is None:
            return chunk
        try:
            frames = self._frames.feed(chunk)
        except Broken:  # beyond all measure: passed on without being understood any more
            self._frames = None
            self.failed = self.failed or Broken(upstream_words=f"a frame of more than {MAX_FRAME_BYTES} bytes")
            return chunk
        for frame in frames:
            self._listen(frame)
        return chunk

    def finish(self) -> bytes:
        for frame in self._frames.finish() if self._frames is not None else ():
            self._listen(frame)
        return b""

    def _listen(self, frame: Frame) -> None:
        if self.is_finished or self.failed is not None or not frame.data.strip():
            return
        try:
            event = EVENT.decode(frame.data)
            if event.type == "error" or frame.event == "error" or present(event.error) is not None:
                self.failed, self.is_told = error_in_body(msgspec.json.decode(frame.data)), True
                return
            self._take(event)
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            self.failed = Broken(upstream_words=f"{error}: {frame.data[:500].decode('utf-8', 'replace')}")

    def _take(self, event: StreamEvent) -> None:
        match event.type:
            case "content_block_delta" if event.delta is not None:
                delta = event.delta
                text = words(delta.text) or words(delta.thinking)
                self._tally.meter.feed(text or (words(delta.partial_json) if self._is_call else ""))
            case "content_block_start" if present(event.content_block) is not None:
                self._is_call = _BLOCK.decode(event.content_block).type == "tool_use"
            case "message_start" if present(event.message) is not None:
                self._tally.start(MESSAGE.decode(event.message).usage)
            case "message_delta":
                self._tally.update(event.usage)
            case "message_stop":
                self.is_finished = True
            case _:
                return

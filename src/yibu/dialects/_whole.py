"""A tap for answers that come in one piece: they are understood at their end, and put right where that is needed."""

from collections.abc import Callable

from yibu.hub.errors import HubError, UpstreamError
from yibu.hub.usage import Usage

Look = Callable[[bytes], tuple[bytes, Usage | None]]
"""An answer to what is forwarded of it, and to its usage. Raises `UpstreamError` when it is no answer."""


class WholeTap:
    """Holds the answer back until it is whole; whoever feeds it bounds its size."""

    def __init__(self, look: Look) -> None:
        self.usage: Usage | None = None
        self.is_finished = False
        self.failed: HubError | None = None
        self.is_told = False
        self.text_units = 0
        self._look = look
        self._body = b""

    def feed(self, chunk: bytes) -> bytes:
        self._body += chunk
        return b""

    def finish(self) -> bytes:
        """The whole answer; nothing of one that cannot be understood."""
        body, self._body = self._body, b""
        try:
            out, self.usage = self._look(body)
        except UpstreamError as error:
            self.failed = error
            return b""
        self.is_finished = True
        return out

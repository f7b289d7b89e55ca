"""A JSON array, cut into its elements as they arrive.

Google's streams without `alt=sse` are one array, written element by element. RFC 8259.
"""

import re

from yibu.dialects._sse import MAX_FRAME_BYTES
from yibu.hub.errors import Broken

_STRUCTURE = re.compile(rb'["{}\[\]]')
_IN_STRING = re.compile(rb'["\\]')
_BETWEEN = b" \t\r\n,"


class Elements:
    """Cuts a byte stream into whole elements without altering a byte; what stands outside of any array counts as one."""

    __slots__ = ("_begin", "_broken", "_buffer", "_depth", "_is_array", "_is_over", "_is_string", "_position")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._position = self._begin = self._depth = 0
        self._is_array = self._is_string = self._is_over = False
        self._broken: Broken | None = None

    def feed(self, chunk: bytes) -> list[bytes]:
        """`chunk`: any slice of the stream. Raises `Broken` when an element passes the size of a frame, and for what is
        no array of objects, once the elements before it were given."""
        self.finish()
        self._buffer += chunk
        found: list[bytes] = []
        try:
            while self._step(found):
                pass
        except Broken as error:
            if not found:
                raise
            self._broken = error
            return found
        keep = self._begin if self._depth else self._position
        del self._buffer[:keep]
        self._position -= keep
        self._begin = 0
        if len(self._buffer) > MAX_FRAME_BYTES:
            raise Broken(upstream_words=f"an element of more than {MAX_FRAME_BYTES} bytes")
        return found

    def finish(self) -> None:
        """Raises `Broken` when what came behind the last elements is none."""
        if self._broken is not None:
            raise self._broken

    @property
    def is_whole(self) -> bool:
        """Nothing is missing."""
        return self._depth == 0 and (self._is_over or not self._is_array)

    def _step(self, found: list[bytes]) -> bool:
        """One structural character; False when there is none left."""
        if self._depth == 0:
            return self._outside()
        if self._is_string:
            return self._inside_string()
        match = _STRUCTURE.search(self._buffer, self._position)
        if match is None:
            self._position = len(self._buffer)
            return False
        self._position = match.end()
        match match[0]:
            case b'"':
                self._is_string = True
            case b"{" | b"[":
                self._depth += 1
            case _:
                self._depth -= 1
                if self._depth == 0:
                    found.append(bytes(self._buffer[self._begin : self._position]))
        return True

    def _outside(self) -> bool:
        while self._position < len(self._buffer) and self._buffer[self._position] in _BETWEEN:
            self._position += 1
        if self._position == len(self._buffer):
            return False
        byte = self._buffer[self._position]
        if byte == 0x7B and not self._is_over:  # {
            self._begin, self._depth = self._position, 1
        elif byte == 0x5B and not self._is_array:  # [
            self._is_array = True
        elif byte == 0x5D and self._is_array and not self._is_over:  # ]
            self._is_over = True
        else:
            words = bytes(self._buffer[self._position : self._position + 200]).decode("utf-8", "replace")
            raise Broken(upstream_words=f"no array of objects: {words}")
        self._position += 1
        return True

    def _inside_string(self) -> bool:
        match = _IN_STRING.search(self._buffer, self._position)
        if match is None:
            self._position = len(self._buffer)
            return False
        if match[0] == b'"':
            self._is_string = False
            self._position = match.end()
            return True
        if match.end() == len(self._buffer):  # the character that is escaped has not come yet
            self._position = match.start()
            return False
        self._position = match.end() + 1
        return True

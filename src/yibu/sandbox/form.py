"""Reads a multipart/form-data body (RFC 7578). The whole body is in memory already, so this is a few splits."""

import re
from dataclasses import dataclass

from yibu.sandbox.refusal import Refusal
from yibu.sandbox.request import Request

_BOUNDARY = re.compile(r'boundary=(?:"([^"]+)"|([^;,\s]+))', re.IGNORECASE)
_NAME = re.compile(r'\bname="((?:[^"\\]|\\.)*)"')
_FILENAME = re.compile(r'\bfilename="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Field:
    """`filename`: None for a plain value."""

    name: str
    content: bytes
    filename: str | None = None

    def text(self) -> str:
        """The value as text. Raises `Refusal` 400 when it is not UTF-8."""
        try:
            return self.content.decode()
        except UnicodeDecodeError as exc:
            raise Refusal(400, f"The form field '{self.name}' is not UTF-8 text.", param=self.name) from exc


def read_form(request: Request) -> list[Field]:
    """The fields in the order they were sent. Raises `Refusal` 400 on a malformed body."""
    match = _BOUNDARY.search(request.headers.get("content-type", ""))
    if match is None:
        raise Refusal(400, "The multipart body has no boundary.")
    delimiter = b"\r\n--" + (match[1] or match[2]).encode("latin-1")
    parts = (b"\r\n" + request.body).split(delimiter)
    if len(parts) < 2 or not parts[-1].startswith(b"--"):
        raise Refusal(400, "The multipart body is not complete.")
    return [_field(part) for part in parts[1:-1]]


def _field(part: bytes) -> Field:
    head, gap, content = part.partition(b"\r\n\r\n")
    text = head.decode("utf-8", "replace")
    name = _NAME.search(text)
    if not gap or name is None:
        raise Refusal(400, "A part of the multipart body has no name.")
    filename = _FILENAME.search(text)
    return Field(name[1], content, filename[1] if filename else None)

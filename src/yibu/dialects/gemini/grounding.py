"""What an answer rests on: `groundingMetadata`, both ways.

Google, *Grounding with Google Search*, read 2026-11-22: chunks are sources; supports say which bytes (UTF-8) of which part rest on which
chunks. Recorded answers count the bytes from the beginning of the whole answer, or of the part: the words that are told beside
them decide.
"""

from itertools import accumulate
from typing import Any

import msgspec

from yibu.dialects._json import present
from yibu.hub.parts import Citation

_SOURCES = ("web", "retrievedContext", "maps", "image")


def decode_grounding(value: msgspec.Raw | None, texts: list[str]) -> tuple[list[Citation], int]:
    """The sources of an answer whose texts are given, and how many searches were made for it."""
    said = _object(value)
    queries = said.get("webSearchQueries")
    searches = len(queries) if isinstance(queries, list) else 0
    chunks = [_source(chunk) for chunk in _list(said.get("groundingChunks"))]
    cited: list[Citation] = []
    used: set[int] = set()
    answer = "".join(texts)
    for support in _list(said.get("groundingSupports")):
        segment = support.get("segment")
        start, end = _place(segment if isinstance(segment, dict) else {}, answer, texts)
        for index in _numbers(support.get("groundingChunkIndices")):
            if index < len(chunks) and (source := chunks[index]) is not None:
                used.add(index)
                cited.append(Citation(url=source[0], title=source[1], start=start, end=end))
    cited += [Citation(url=one[0], title=one[1]) for index, one in enumerate(chunks) if one and index not in used]
    return cited, searches


def _object(value: msgspec.Raw | None) -> dict[str, Any]:
    if present(value) is None or value is None:
        return {}
    try:
        found = msgspec.json.decode(value)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _list(value: Any) -> list[dict[str, Any]]:
    return [one if isinstance(one, dict) else {} for one in value] if isinstance(value, list) else []


def _numbers(value: Any) -> list[int]:
    return [one for one in value if isinstance(one, int) and one >= 0] if isinstance(value, list) else []


def _source(chunk: dict[str, Any]) -> tuple[str, str] | None:
    for key in _SOURCES:
        found = chunk.get(key)
        if isinstance(found, dict):
            uri = found.get("uri") or found.get("sourceUri") or found.get("documentName")
            title = found.get("title")
            if isinstance(uri, str) and uri:
                return uri, title if isinstance(title, str) else ""
    return None


def _place(segment: dict[str, Any], answer: str, texts: list[str]) -> tuple[int | None, int | None]:
    """First and last character of a segment in the answer, None when it cannot be found."""
    begin, end, words = segment.get("startIndex") or 0, segment.get("endIndex"), segment.get("text")
    number = segment.get("partIndex") or 0
    if isinstance(begin, int) and isinstance(end, int) and isinstance(number, int):
        sizes = [0, *accumulate(len(text.encode()) for text in texts)]
        body = answer.encode()
        for base in (sizes[number] if 0 <= number < len(sizes) else 0, 0):
            piece = body[base + begin : base + end].decode("utf-8", "replace")
            if end <= len(body) - base and words in (None, piece):
                first = len(body[: base + begin].decode("utf-8", "replace"))
                return first, first + len(piece)
    if isinstance(words, str) and words and (at := answer.find(words)) >= 0:
        return at, at + len(words)
    return None, None


def encode_grounding(citations: list[Citation], answer: str) -> dict[str, Any] | None:
    """`groundingMetadata` for citations of another vendor; None when there are none."""
    if not citations:
        return None
    chunks: dict[tuple[str, str], int] = {}
    supports: list[dict[str, Any]] = []
    for one in citations:
        index = chunks.setdefault((one.url, one.title), len(chunks))
        if one.start is None or one.end is None:
            continue
        piece = answer[one.start : one.end]
        begin = len(answer[: one.start].encode())
        segment: dict[str, Any] = {"endIndex": begin + len(piece.encode()), "text": piece}
        if begin:
            segment["startIndex"] = begin
        supports.append({"segment": segment, "groundingChunkIndices": [index]})
    webs = [{"web": {"uri": url, "title": title} if title else {"uri": url}} for url, title in chunks]
    return {"groundingChunks": webs, "groundingSupports": supports} if supports else {"groundingChunks": webs}

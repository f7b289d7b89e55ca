"""What stands in the JSON of Cohere's answers, and the words that both ways share."""

from typing import Any

import msgspec

from yibu.dialects._answer import count_of
from yibu.dialects._json import NULL, present, raw
from yibu.hub.parts import Citation, Opaque, ToolCall
from yibu.hub.reply import Finish, FinishKind
from yibu.hub.usage import Meter, Usage

ID = "cohere_chat"

_KINDS: dict[str, FinishKind] = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "TOOL_CALL": "tool_calls",
    "MAX_TOKENS": "length",
    "ERROR_LIMIT": "length",
    "ERROR_TOXIC": "filtered",
    "ERROR": "error",
    "TIMEOUT": "error",
}
"""Words that are not here yet mean an ordinary end."""


class WireFunction(msgspec.Struct):
    name: str = ""
    arguments: str | None = None


class WireCall(msgspec.Struct):
    id: str = ""
    function: WireFunction = msgspec.field(default_factory=WireFunction)

    def head(self) -> ToolCall:
        return ToolCall(id=self.id, name=self.function.name, arguments="")


class Tokens(msgspec.Struct):
    """Counts come as floats."""

    input_tokens: float | None = None
    output_tokens: float | None = None
    search_units: float | None = None


class WireUsage(msgspec.Struct):
    tokens: Tokens | None = None
    billed_units: Tokens | None = None
    cached_tokens: float | None = None


class Source(msgspec.Struct):
    """`document` and `tool_output`: objects of any members."""

    document: msgspec.Raw = NULL
    tool_output: msgspec.Raw = NULL


class WireCitation(msgspec.Struct):
    start: int | None = None
    end: int | None = None
    sources: list[Source] | None = None
    type: str | None = None


class LogprobItem(msgspec.Struct):
    text: str | None = None
    logprobs: list[float] | None = None


_USAGE = msgspec.json.Decoder(WireUsage)
_CITATION = msgspec.json.Decoder(WireCitation)


def decode_usage(value: msgspec.Raw) -> Usage | None:
    """`tokens` are the counts; what Cohere bills is taken only when it tells nothing else. None when nothing was counted."""
    if present(value) is None:
        return None
    said = _USAGE.decode(value)
    tokens, billed = said.tokens or Tokens(), said.billed_units or Tokens()
    into, out = _first(tokens.input_tokens, billed.input_tokens), _first(tokens.output_tokens, billed.output_tokens)
    if into is None and out is None:
        return None
    cached = count_of(said.cached_tokens)
    counts = (
        (Meter.INPUT, None if into is None else max(into - (cached or 0), 0)),
        (Meter.INPUT_CACHED, cached),
        (Meter.OUTPUT, out),
        (Meter.SEARCH, count_of(billed.search_units) or None),
    )
    return Usage({meter: count for meter, count in counts if count is not None}, raw=value, dialect=ID)


def _first(*values: float | None) -> int | None:
    return next((count for value in values if (count := count_of(value)) is not None), None)


def decode_finish(word: str, *, has_calls: bool) -> Finish:
    kind = _KINDS.get(word, "stop")
    return Finish("tool_calls" if kind == "stop" and has_calls else kind, raw=word)


def decode_citation(value: msgspec.Raw) -> list[Citation | Opaque]:
    """One for each source that has an address; a citation of something without, such as a tool's result, is opaque."""
    wire = _CITATION.decode(value)
    found: list[Citation | Opaque] = []
    if wire.type in (None, "TEXT_CONTENT"):
        for source in wire.sources or ():
            for about in (_object(source.document), _object(source.tool_output)):
                url, title = about.get("url"), about.get("title")
                if isinstance(url, str) and url:
                    title = title if isinstance(title, str) else ""
                    found.append(Citation(url=url, title=title, start=wire.start, end=wire.end))
    return found or [Opaque(ID, value)]


def _object(value: msgspec.Raw) -> dict[str, Any]:
    said = msgspec.json.decode(value)
    return said if isinstance(said, dict) else {}


def decode_logprobs(items: list[LogprobItem] | None) -> msgspec.Raw | None:
    """In OpenAI's form, which the hub has. A piece of several tokens is as likely as all of them together."""
    told = [item for item in items or () if item.logprobs]
    content = [
        {
            "token": item.text or "",
            "logprob": sum(item.logprobs or ()),
            "bytes": list((item.text or "").encode("utf-8", "replace")),
            "top_logprobs": [],
        }
        for item in told
    ]
    return raw({"content": content}) if content else None

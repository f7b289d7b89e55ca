"""How long a request is, without a tokenizer."""

import base64

import msgspec
import pytest

from yibu.hub.chat import ChatRequest, Turn
from yibu.hub.estimate import TOKENS_A_MEDIUM, estimate_request
from yibu.hub.media import Inline, Url
from yibu.hub.parts import Citation, Media, Opaque, Part, Refusal, Text, Thinking, ToolCall, ToolResult
from yibu.hub.tools import Function, Hosted

NOTHING = estimate_request(ChatRequest(model="m", turns=(Turn("user", ()),)))
LETTER = base64.b64encode(b"a" * 300).decode()


def more(part: Part) -> int:
    """What a part adds."""
    return estimate_request(ChatRequest(model="m", turns=(Turn("user", (part,)),))) - NOTHING


@pytest.mark.parametrize(
    ("part", "tokens"),
    [
        (Text("a" * 40), 10),
        (Text("世界"), 2),
        (Thinking("a" * 40), 10),
        (Refusal("a" * 40), 10),
        (ToolCall("c", "f" * 4, "a" * 36), 10),
        (ToolResult("c", (Text("a" * 40), Media("image", Url("u")))), 10 + TOKENS_A_MEDIUM),
        (Opaque("x", msgspec.Raw(b'"' + b"a" * 38 + b'"')), 10),
        (Media("image", Inline("AAAA", "image/png")), TOKENS_A_MEDIUM),
        (Media("file", Inline(LETTER, "text/plain")), 75),
        (Citation("https://a.example"), 0),
    ],
)
def test_every_kind_of_part(part: Part, tokens: int) -> None:
    """Text by its length, documents of text like text, other media by the piece."""
    assert more(part) == tokens


def test_tools_count_too() -> None:
    """Their schemas are part of the prompt."""
    plain = ChatRequest(model="m", turns=())
    tools = (Function("f", "d" * 100), Hosted("x", "web_search", msgspec.Raw(b"{}")))

    assert estimate_request(plain) == 1
    assert estimate_request(msgspec.structs.replace(plain, tools=tools)) > 25

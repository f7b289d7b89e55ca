"""What stands in the JSON of embeddings, and what each vendor of the family calls it."""

from collections.abc import Mapping
from typing import Annotated

import msgspec

from yibu.dialects._json import NULL
from yibu.hub.embed import Purpose

FAMILY = frozenset({"openai_embeddings", "jina_embeddings", "voyage_embeddings"})
"""They share a path and the tools that call it, so members that one of them added go through to the others."""


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """What a vendor calls things; an empty name: it has no such member.

    `float_word`: how it is asked for numbers, None when it must not be said; `takes_objects`: inputs may be `{"text"}` and `{"image"}`.
    """

    id: str
    purpose: str = ""
    purposes: Mapping[Purpose, str] = {}
    dimensions: str = "dimensions"
    form: str = "encoding_format"
    float_word: str | None = "float"
    truncate: str = ""
    takes_objects: bool = False


Element = str | int | list[int] | dict[str, msgspec.Raw]


Model = Annotated[str, msgspec.Meta(max_length=256)]


class Body(msgspec.Struct):
    input: str | list[Element]
    model: Model | None = None
    user: str | None = None


class Item(msgspec.Struct):
    embedding: str | tuple[float, ...]
    index: int | None = None


class Answer(msgspec.Struct):
    data: list[Item]
    model: str = ""
    usage: msgspec.Raw = NULL

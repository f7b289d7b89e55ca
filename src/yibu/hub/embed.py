"""Texts, pictures or tokens made into vectors."""

from typing import Literal

import msgspec

from yibu.hub.errors import Broken
from yibu.hub.parts import Extras, Media, Text
from yibu.hub.usage import Usage

Purpose = Literal[
    "query", "document", "similarity", "classification", "clustering", "question", "fact", "code_query", "code_document"
]
"""What the vectors will be used for: models that look for answers place a question elsewhere than a document.

`question`: a question to be answered; `fact`: a claim to be checked; `code_query`: words that look for code."""

VectorForm = Literal["float", "base64"]
Truncation = Literal["none", "start", "end"]
"""What to do with an input that is too long: refuse it, or leave out its start or its end."""


class Tokens(msgspec.Struct, frozen=True, tag="tokens"):
    """A text as the numbers of its tokens, which mean something only to models with the same tokenizer."""

    ids: tuple[int, ...]


EmbedPart = Text | Media | Tokens


class EmbedInput(msgspec.Struct, frozen=True):
    """What becomes one vector: one part for nearly all models, several where text and pictures may be mixed.

    `title`: of the document that the text is from.
    """

    parts: tuple[EmbedPart, ...]
    title: str = ""
    extras: Extras = {}


class EmbedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """`is_list`: the caller wrote a list of inputs, though perhaps of one; `dimensions`: the length of each vector;
    `form`: how the caller wants to read them, None when it is left to the dialect. `purpose` holds for all inputs.

    `dialect`: as in `ChatRequest`.
    """

    model: str
    inputs: tuple[EmbedInput, ...]
    is_list: bool = True
    purpose: Purpose | None = None
    dimensions: int | None = None
    form: VectorForm | None = None
    truncate: Truncation | None = None
    user: str = ""
    dialect: str = ""
    extras: Extras = {}


class Floats(msgspec.Struct, frozen=True, tag="floats"):
    """A vector as numbers; never NaN or infinite."""

    values: tuple[float, ...]


class Packed(msgspec.Struct, frozen=True, tag="packed"):
    """The same as base64 (standard alphabet, padded) of little-endian float32 without a header."""

    base64: str


Vector = Floats | Packed


class EmbedReply(msgspec.Struct, frozen=True, kw_only=True):
    """`vectors`: one for each input, in their order; `form` and `is_list`: how the caller wants to read them, whatever they are here.

    `usage` is None when the vendor did not say; `dialect`: as in `ChatRequest`.
    """

    model: str
    vectors: tuple[Vector, ...]
    id: str = ""
    is_list: bool = True
    form: VectorForm | None = None
    usage: Usage | None = None
    dialect: str = ""
    extras: Extras = {}


def fit_embed(request: EmbedRequest, reply: EmbedReply) -> EmbedReply:
    """The reply as the answer to this request. Raises `Broken` when it has another number of vectors than the request has inputs."""
    if len(reply.vectors) != len(request.inputs):
        raise Broken(upstream_words=f"{len(reply.vectors)} vectors for {len(request.inputs)} inputs")
    return msgspec.structs.replace(
        reply, form=request.form, is_list=request.is_list, model=reply.model or request.model
    )

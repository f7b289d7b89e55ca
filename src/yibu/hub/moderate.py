"""Texts and pictures judged by what they may do harm with."""

import msgspec

from yibu.hub.errors import Broken
from yibu.hub.parts import Extras, Media, Text
from yibu.hub.usage import Usage


class ModerateRequest(msgspec.Struct, frozen=True, kw_only=True):
    """`inputs`: each is judged as one and gets one verdict; `is_list`, `dialect`: as in `EmbedRequest`."""

    model: str
    inputs: tuple[tuple[Text | Media, ...], ...]
    is_list: bool = True
    dialect: str = ""
    extras: Extras = {}


class Verdict(msgspec.Struct, frozen=True):
    """By category, such as `violence/graphic`: does it apply, how sure is the model (0 to 1), which kinds of input it looked at."""

    flagged: bool
    categories: dict[str, bool]
    scores: dict[str, float]
    looked_at: dict[str, tuple[str, ...]] = {}
    extras: Extras = {}


class ModerateReply(msgspec.Struct, frozen=True, kw_only=True):
    """`verdicts`: one for each input, in their order; `usage` is None when the vendor did not say; `dialect`: as in `ChatRequest`."""

    id: str
    model: str
    verdicts: tuple[Verdict, ...]
    usage: Usage | None = None
    dialect: str = ""
    extras: Extras = {}


def fit_moderate(request: ModerateRequest, reply: ModerateReply) -> ModerateReply:
    """The reply as the answer to this request. Raises `Broken` when it has another number of verdicts than the request has inputs."""
    if len(reply.verdicts) != len(request.inputs):
        raise Broken(upstream_words=f"{len(reply.verdicts)} verdicts for {len(request.inputs)} inputs")
    return reply

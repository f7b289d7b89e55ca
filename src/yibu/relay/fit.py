"""An answer of another vendor made to be the answer to this request: vectors, rankings, verdicts."""

import msgspec

from yibu.hub.embed import EmbedReply, EmbedRequest, fit_embed
from yibu.hub.errors import Internal
from yibu.hub.moderate import ModerateReply, ModerateRequest, fit_moderate
from yibu.hub.rerank import RerankReply, RerankRequest, fit_rerank
from yibu.hub.usage import Usage

Request = EmbedRequest | RerankRequest | ModerateRequest
Answer = EmbedReply | RerankReply | ModerateReply


def fit(request: Request, answer: Answer, usage: Usage | None, request_id: str) -> Answer:
    """With what was asked for, with what is billed, and with an id for formats that have one.

    Raises `Broken` when it does not belong to the request.
    """
    match request, answer:
        case EmbedRequest(), EmbedReply():
            fitted: Answer = fit_embed(request, answer)
        case RerankRequest(), RerankReply():
            fitted = fit_rerank(request, answer)
        case ModerateRequest(), ModerateReply():
            fitted = fit_moderate(request, answer)
        case _:
            raise Internal
    return msgspec.structs.replace(fitted, id=fitted.id or request_id, usage=usage)

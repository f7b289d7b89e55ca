"""The shape of a rerank dialect: words of its own over one codec, an answer and errors of its own."""

from collections.abc import Mapping
from typing import ClassVar, Self

import msgspec

from yibu.dialects import _ranked, _rerank
from yibu.dialects._json import fields, raw
from yibu.dialects._rerank import Words
from yibu.dialects._vendor_errors import decode_error
from yibu.dialects._whole import WholeTap
from yibu.dialects.dialect import NOWHERE, Bounds, Intent, Operation, Route, Tap, Target
from yibu.hub.errors import UpstreamError
from yibu.hub.loss import Losses
from yibu.hub.rerank import RerankReply, RerankRequest


class RerankFormat:
    """Without a path of its own unless a subclass has one: four formats meet at `/v1/rerank`, see `rerank.py`."""

    operation: ClassVar[Operation] = Operation.RERANK
    routes: ClassVar[tuple[Route, ...]] = ()
    words: ClassVar[Words]

    def __init__(self, bounds: Bounds | None = None) -> None:
        self.bounds = bounds or Bounds()

    def within(self, bounds: Bounds) -> Self:
        return type(self)(bounds)

    def sniff(self, body: bytes, target: Target = NOWHERE) -> Intent:
        """Raises `InvalidRequest`."""
        return _rerank.sniff(body, self.bounds, target)

    def splice(self, intent: Intent, model: str) -> bytes:
        return msgspec.json.encode({**fields(intent.body), "model": raw(model), **self.words.always})

    def request_headers(self, target: Target) -> dict[str, str]:
        return {}

    def decode_request(self, body: bytes, target: Target = NOWHERE) -> RerankRequest:
        return _rerank.decode_request(body, self.words)

    def encode_request(self, request: RerankRequest, losses: Losses) -> bytes:
        return _rerank.encode_request(request, self.words, losses)

    def decode_reply(self, body: bytes, asked: RerankRequest | None = None) -> RerankReply:
        return _ranked.decode_reply(body, self.words)

    def tap(self, intent: Intent) -> Tap:
        return WholeTap(lambda body: _ranked.put_right(body, intent, self.words))

    def decode_error(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
        return decode_error(status, headers, body)

"""OpenAI's moderations. Sources: openai-python 3.54.0 and OpenAI's OpenAPI description of August 2026, read 2026-11-22.

A text is judged as one, a list of texts one by one, a list of parts (text and pictures) together as one.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from yibu.dialects._answer import read_answer
from yibu.dialects._json import NULL, check_depth, fields, lean, raw, read, rest
from yibu.dialects._scope import Scope
from yibu.dialects._vendor_errors import decode_error
from yibu.dialects._whole import Seen, WholeTap
from yibu.dialects.dialect import NOWHERE, Bounds, Intent, Operation, Route, Tap, Target
from yibu.dialects.openai_chat.errors import OpenAIErrors
from yibu.hub.errors import InvalidRequest, UpstreamError
from yibu.hub.loss import Losses
from yibu.hub.media import FileRef, Inline, Url
from yibu.hub.moderate import ModerateReply, ModerateRequest, Verdict
from yibu.hub.parts import Media, Text

ID = "openai_moderations"
UNNAMED = "omni-moderation-latest"
"""The model of a request that names none."""


class _Image(msgspec.Struct):
    url: str


class _Part(msgspec.Struct):
    type: str
    text: str | None = None
    image_url: _Image | None = None


class _Body(msgspec.Struct):
    input: str | list[str | _Part]
    model: str | None = None


class _Result(msgspec.Struct):
    flagged: bool
    categories: dict[str, bool | None]
    category_scores: dict[str, float | None]
    category_applied_input_types: dict[str, tuple[str, ...] | None] | None = None


class _Answer(msgspec.Struct):
    results: list[_Result]
    id: str = ""
    model: str = ""
    usage: msgspec.Raw = NULL


_BODY = msgspec.json.Decoder(_Body)
_ANSWER = msgspec.json.Decoder(_Answer)
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])


class OpenAIModerations(OpenAIErrors):
    id: ClassVar[str] = ID
    title: ClassVar[str] = "OpenAI Moderations"
    operation: ClassVar[Operation] = Operation.MODERATE
    routes: ClassVar[tuple[Route, ...]] = (Route("POST", "/v1/moderations", Operation.MODERATE),)

    def __init__(self, bounds: Bounds | None = None) -> None:
        self.bounds = bounds or Bounds()

    def within(self, bounds: Bounds) -> "OpenAIModerations":
        return OpenAIModerations(bounds)

    def sniff(self, body: bytes, target: Target = NOWHERE) -> Intent:
        """Raises `InvalidRequest`."""
        check_depth(body, self.bounds.depth)
        request = self.decode_request(body)
        texts = [part.text for parts in request.inputs for part in parts if isinstance(part, Text)]
        media = sum(isinstance(part, Media) for parts in request.inputs for part in parts)
        size = sum(len(text.encode("utf-8", "replace")) for text in texts)
        return Intent(model=request.model, body=body, text_bytes=size, media=media, target=target)

    def splice(self, intent: Intent, model: str) -> bytes:
        return msgspec.json.encode({**fields(intent.body), "model": raw(model)})

    def request_headers(self, target: Target) -> dict[str, str]:
        return {}

    def decode_request(self, body: bytes, target: Target = NOWHERE) -> ModerateRequest:
        """Raises `InvalidRequest`."""
        said = read(_BODY, body)
        return ModerateRequest(
            model=said.model or UNNAMED,
            inputs=_inputs(said.input),
            is_list=isinstance(said.input, list),
            dialect=ID,
            extras=rest(fields(body), frozenset(("input", "model"))),
        )

    def encode_request(self, request: ModerateRequest, losses: Losses) -> bytes:
        """Raises `InvalidRequest` for several inputs of which one holds pictures: there is no way to say that here."""
        scope = Scope(ID, request.dialect, losses)
        members = {"model": request.model, "input": _written(request)}
        return msgspec.json.encode({**members, **scope.extras("$", request.extras)})

    def decode_reply(self, body: bytes, asked: ModerateRequest | None = None) -> ModerateReply:
        """Raises `Broken` when it is none. A category that was not judged (null) is left out."""
        answer = read_answer(_ANSWER, body)
        verdicts = tuple(
            Verdict(
                flagged=one.flagged,
                categories={name: value for name, value in one.categories.items() if value is not None},
                scores={name: value for name, value in one.category_scores.items() if value is not None},
                looked_at={
                    name: value for name, value in (one.category_applied_input_types or {}).items() if value is not None
                },
            )
            for one in answer.results
        )
        extras = rest(_MEMBERS.decode(body), frozenset(("id", "model", "results")))
        return ModerateReply(id=answer.id, model=answer.model, verdicts=verdicts, dialect=ID, extras=extras)

    def encode_reply(self, reply: ModerateReply, losses: Losses) -> bytes:
        extras = reply.extras if reply.dialect == ID else {}
        results = [_result(one) for one in reply.verdicts]
        return msgspec.json.encode({"id": reply.id, "model": reply.model, "results": results, **extras})

    def tap(self, intent: Intent) -> Tap:
        return WholeTap(_look)

    def decode_error(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
        return decode_error(status, headers, body)


def _look(body: bytes) -> Seen:
    """Nothing is counted: at OpenAI this is free."""
    read_answer(_ANSWER, body)
    return Seen(body, None)


def _result(verdict: Verdict) -> dict[str, Any]:
    return lean(
        {
            "flagged": verdict.flagged,
            "categories": verdict.categories,
            "category_scores": verdict.scores,
            "category_applied_input_types": verdict.looked_at or None,
        }
    )


def _inputs(said: str | list[str | _Part]) -> tuple[tuple[Text | Media, ...], ...]:
    if isinstance(said, str):
        return ((Text(said),),)
    if not said:
        raise InvalidRequest("There is nothing to judge.", param="$.input")
    if all(isinstance(one, str) for one in said):
        return tuple((Text(one),) for one in said if isinstance(one, str))
    return (tuple(_part(one, f"$.input[{at}]") for at, one in enumerate(said)),)


def _part(part: str | _Part, path: str) -> Text | Media:
    if isinstance(part, str):
        raise InvalidRequest("A list holds texts only, or parts only.", param=path)
    if part.type == "text" and part.text is not None:
        return Text(part.text)
    if part.type == "image_url" and part.image_url is not None:
        url = part.image_url.url
        if not url.startswith("data:"):
            return Media("image", Url(url))
        head, _, data = url.partition(";base64,")
        return Media("image", Inline(data, head.removeprefix("data:")))
    raise InvalidRequest('A part is a {"type": "text", "text"} or an {"type": "image_url", "image_url"}.', param=path)


def _written(request: ModerateRequest) -> Any:
    inputs = request.inputs
    texts = [parts[0].text for parts in inputs if len(parts) == 1 and isinstance(parts[0], Text)]
    if len(texts) == len(inputs):
        return texts if request.is_list or len(texts) != 1 else texts[0]
    if len(inputs) != 1:
        raise InvalidRequest("This model judges several texts, or one mix of texts and pictures.", param="$.input")
    return [_wire(part) for part in inputs[0]]


def _wire(part: Text | Media) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    match part.source:
        case Url(url=url):
            address = url
        case Inline(base64=data, mime=mime):
            address = f"data:{mime or 'image/png'};base64,{data}"
        case FileRef():
            raise InvalidRequest("This model does not take files that lie at another vendor.", param="$.input")
    return {"type": "image_url", "image_url": {"url": address}}


DIALECT = OpenAIModerations()

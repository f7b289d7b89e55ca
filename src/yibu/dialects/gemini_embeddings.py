"""Google's embeddings: `embedContent` for one input, `batchEmbedContents` for several.

Sources: google-genai 3.4.0, Google, *Embeddings*, and recorded exchanges, read 2026-11-22. Vendors are always asked for
a batch, whose answer is taken apart again for a caller who wanted one vector. Each input of a batch may have a purpose
of its own.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from yibu.dialects._answer import count_of, read_answer
from yibu.dialects._json import NULL, check_depth, fields, lean, present, raw
from yibu.dialects._purpose import purpose_of
from yibu.dialects._scope import Scope
from yibu.dialects._vectors import floats_of
from yibu.dialects._whole import Seen, WholeTap
from yibu.dialects.dialect import NOWHERE, Bounds, Intent, Operation, Route, Tap, Target
from yibu.dialects.gemini.errors import GoogleErrors, decode_error
from yibu.dialects.gemini.media import decode_medium, encode_medium
from yibu.dialects.gemini.target import model_of
from yibu.dialects.gemini.wire import Members, wrong
from yibu.dialects.openai_embeddings.request import weigh
from yibu.hub.embed import EmbedInput, EmbedPart, EmbedReply, EmbedRequest, Floats, Purpose, Tokens
from yibu.hub.errors import Broken, InvalidRequest, UpstreamError
from yibu.hub.loss import Losses
from yibu.hub.parts import Media, Text
from yibu.hub.usage import Meter, Usage

ID = "gemini_embeddings"
_PURPOSES: Mapping[Purpose, str] = {
    "query": "RETRIEVAL_QUERY",
    "document": "RETRIEVAL_DOCUMENT",
    "similarity": "SEMANTIC_SIMILARITY",
    "classification": "CLASSIFICATION",
    "clustering": "CLUSTERING",
    "question": "QUESTION_ANSWERING",
    "fact": "FACT_VERIFICATION",
    "code_query": "CODE_RETRIEVAL_QUERY",
    "code_document": "RETRIEVAL_DOCUMENT",
}


class _Vector(msgspec.Struct):
    values: tuple[float, ...]


class _Answer(msgspec.Struct):
    embeddings: list[_Vector] | None = None
    embedding: _Vector | None = None
    usageMetadata: msgspec.Raw = NULL


class _Seen(msgspec.Struct):
    embeddings: list[msgspec.Raw]
    usageMetadata: msgspec.Raw = NULL


_ANSWER = msgspec.json.Decoder(_Answer)
_SEEN = msgspec.json.Decoder(_Seen)


class GeminiEmbeddings(GoogleErrors):
    id: ClassVar[str] = ID
    title: ClassVar[str] = "Gemini Embeddings"
    operation: ClassVar[Operation] = Operation.EMBED
    routes: ClassVar[tuple[Route, ...]] = tuple(
        Route("POST", f"/v1beta/models/{{model:path}}:{verb}", Operation.EMBED, {"verb": verb})
        for verb in ("embedContent", "batchEmbedContents")
    )
    most_inputs: ClassVar[int] = 100

    def __init__(self, bounds: Bounds | None = None) -> None:
        self.bounds = bounds or Bounds()

    def within(self, bounds: Bounds) -> "GeminiEmbeddings":
        return GeminiEmbeddings(bounds)

    def sniff(self, body: bytes, target: Target = NOWHERE) -> Intent:
        """Raises `InvalidRequest`."""
        check_depth(body, self.bounds.depth)
        request = self.decode_request(body, target)
        text_bytes, media = weigh(request.inputs)
        return Intent(model=request.model, body=body, text_bytes=text_bytes, media=media, target=target)

    def splice(self, intent: Intent, model: str) -> bytes:
        """A batch, in which each request names the model again."""
        members = fields(intent.body)
        elements = [raw(members)] if _is_single(intent.target) else _elements(intent.body)
        named = [{**fields(one), "model": f"models/{model}"} for one in elements]
        return msgspec.json.encode({"requests": named})

    def request_headers(self, target: Target) -> dict[str, str]:
        return {}

    def decode_request(self, body: bytes, target: Target = NOWHERE) -> EmbedRequest:
        """Raises `InvalidRequest`, also for inputs of one batch that other vendors would have to be asked one by one."""
        is_single = _is_single(target)
        members = Members(body)
        each = [members] if is_single else members.each("requests")
        if not each:
            raise wrong("$.requests", "a list of at least one request")
        wishes, inputs = [], []
        for one in each:
            one.take("model")
            wishes.append((one.text("taskType") or "", one.whole("outputDimensionality", 1, 1_000_000)))
            inputs.append(_input(one))
        if len(set(wishes)) > 1:
            raise InvalidRequest(
                "`taskType` and `outputDimensionality` are the same for a whole batch.", param="$.requests"
            )
        task, dimensions = wishes[0]
        purpose = purpose_of(task)
        extras = {} if purpose or not task else {"taskType": raw(task)}
        return EmbedRequest(
            model=model_of(target),
            inputs=tuple(inputs),
            is_list=not is_single,
            purpose=purpose,
            dimensions=dimensions,
            form="float",
            dialect=ID,
            extras=extras,
        )

    def encode_request(self, request: EmbedRequest, losses: Losses) -> bytes:
        """Raises `InvalidRequest` for token ids, which mean nothing to Google."""
        scope = Scope(ID, request.dialect, losses)
        if request.truncate == "none" or request.truncate == "start":
            scope.lose("$.truncate", "Google leaves out the end of what is too long", "approximated")
        if request.user:
            scope.lose("$.user")
        common: dict[str, Any] = {
            "model": f"models/{request.model}",
            "taskType": _PURPOSES[request.purpose] if request.purpose else None,
            "outputDimensionality": request.dimensions,
            **scope.extras("$", request.extras),
        }
        written = [_written(one, common, scope, f"$.input[{at}]") for at, one in enumerate(request.inputs)]
        return msgspec.json.encode({"requests": written})

    def decode_reply(self, body: bytes, asked: EmbedRequest | None = None) -> EmbedReply:
        """Raises `Broken` when it is none."""
        answer = read_answer(_ANSWER, body)
        vectors = answer.embeddings
        if vectors is None and answer.embedding is not None:
            vectors = [answer.embedding]
        if vectors is None:
            raise Broken(upstream_words="no embeddings")
        return EmbedReply(
            model="",
            vectors=tuple(Floats(one.values) for one in vectors),
            usage=_usage(answer.usageMetadata),
            dialect=ID,
        )

    def encode_reply(self, reply: EmbedReply, losses: Losses) -> bytes:
        """Raises `Broken` when a vector is none."""
        vectors = [{"values": floats_of(vector)} for vector in reply.vectors]
        members: dict[str, Any] = {"embeddings": vectors} if reply.is_list else {"embedding": vectors[0]}
        if reply.usage is not None:
            tokens = reply.usage.units.get(Meter.INPUT, 0)
            own = reply.usage.raw if reply.usage.dialect == ID else None
            members["usageMetadata"] = own or {"promptTokenCount": tokens, "totalTokenCount": tokens}
        return msgspec.json.encode(members)

    def tap(self, intent: Intent) -> Tap:
        return WholeTap(_look_single if _is_single(intent.target) else _look)

    def decode_error(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
        return decode_error(status, headers, body)


def _is_single(target: Target) -> bool:
    return target.params.get("verb") == "embedContent"


def _elements(body: bytes) -> list[msgspec.Raw]:
    return [value for value, _ in Members(body).elements("requests")]


def _input(request: Members) -> EmbedInput:
    content = request.inner("content")
    parts: list[EmbedPart] = []
    for value, path in content.elements("parts") if content is not None else ():
        members = Members(value, path)
        text = members.text("text")
        medium = decode_medium(members) if text is None else None
        if text == "" or (text is None and medium is None):
            raise wrong(path, "a `text` that is not empty, or `inlineData`")
        parts.append(Text(text) if text is not None else medium or Text(""))
    if not parts:
        raise wrong(f"{request.path}.content", "a content with at least one part")
    return EmbedInput(tuple(parts), title=request.text("title") or "", extras=request.left)


def _written(one: EmbedInput, common: dict[str, Any], scope: Scope, where: str) -> dict[str, Any]:
    parts: list[Any] = []
    for part in one.parts:
        match part:
            case Text(text=text):
                parts.append({"text": text})
            case Media():
                medium = encode_medium(part, scope, where)
                if medium is None:
                    raise InvalidRequest("This model does not take files that lie at another vendor.", param=where)
                parts.append(medium)
            case Tokens():
                raise InvalidRequest("This model has another tokenizer: send text instead of token ids.", param=where)
    members = {"content": {"parts": parts}, "title": one.title or None, **common}
    return {**lean(members), **scope.extras(where, one.extras)}


def _usage(value: msgspec.Raw) -> Usage | None:
    if present(value) is None:
        return None
    said = msgspec.json.decode(value)
    tokens = count_of(said.get("promptTokenCount")) if isinstance(said, dict) else None
    return None if tokens is None else Usage({Meter.INPUT: tokens}, raw=value, dialect=ID)


def _look(body: bytes) -> Seen:
    return Seen(body, _usage(read_answer(_SEEN, body).usageMetadata))


def _look_single(body: bytes) -> Seen:
    """The one answer out of the batch that was asked for."""
    seen = read_answer(_SEEN, body)
    if not seen.embeddings:
        raise Broken(upstream_words="no embeddings")
    members: dict[str, Any] = {"embedding": seen.embeddings[0]}
    if present(seen.usageMetadata) is not None:
        members["usageMetadata"] = seen.usageMetadata
    return Seen(msgspec.json.encode(members), _usage(seen.usageMetadata))


DIALECT = GeminiEmbeddings()

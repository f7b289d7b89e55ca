"""Requests for embeddings: read, weighed, written."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from yibu.dialects._json import fields, lean, present, read, rest, text_of
from yibu.dialects._purpose import NEAREST, purpose_in
from yibu.dialects._scope import Scope
from yibu.dialects.dialect import NOWHERE, Target
from yibu.dialects.openai_embeddings.words import FAMILY, Body, Element, Words
from yibu.hub.embed import EmbedInput, EmbedRequest, Tokens, VectorForm
from yibu.hub.errors import InvalidRequest
from yibu.hub.loss import Losses
from yibu.hub.media import FileRef, Inline, Source, Url
from yibu.hub.parts import Media, Text

_BODY = msgspec.json.Decoder(Body)
_FORM = msgspec.json.Decoder(Literal["float", "base64"])
_LENGTH = msgspec.json.Decoder(int)


def decode_request(body: bytes, words: Words, target: Target = NOWHERE) -> EmbedRequest:
    """Raises `InvalidRequest`."""
    members, told = fields(body), read(_BODY, body)
    found = purpose_in(members)
    known = {"model", "input", "user", words.form, words.dimensions, words.truncate, found[0] if found else ""}
    cut = present(members.get(words.truncate))
    return EmbedRequest(
        model=told.model or target.params.get("model", "") or _no_model(),
        inputs=_inputs(told.input),
        is_list=isinstance(told.input, list) and not (told.input and isinstance(told.input[0], int)),
        purpose=found[1] if found else None,
        dimensions=dimensions_of(members, words.dimensions),
        form=form_of(members, words.form),
        truncate=None if cut is None else ("none" if bytes(cut) == b"false" else "end"),
        user=told.user or "",
        dialect=words.id,
        extras=rest(members, frozenset(known)),
    )


def _no_model() -> str:
    raise InvalidRequest("`model` is missing.", param="$.model")


def _inputs(said: str | list[Element]) -> tuple[EmbedInput, ...]:
    """An array of integers is one input, an array of arrays many."""
    if isinstance(said, str):
        return (_input(said, "$.input"),)
    if not said:
        raise InvalidRequest("There is nothing to embed.", param="$.input")
    if all(isinstance(one, int) for one in said):
        return (_input([one for one in said if isinstance(one, int)], "$.input"),)
    return tuple(_input(one, f"$.input[{at}]") for at, one in enumerate(said))


def _input(said: Element, path: str) -> EmbedInput:
    if isinstance(said, int):
        raise InvalidRequest("Token ids stand in an array of integers, or in an array of such arrays.", param=path)
    if not said:
        raise InvalidRequest("An input must not be empty.", param=path)
    if isinstance(said, str):
        return EmbedInput((Text(said),))
    if isinstance(said, list):
        if min(said) < 0:
            raise InvalidRequest("A token id is never negative.", param=path)
        return EmbedInput((Tokens(tuple(said)),))
    for key in ("text", "image"):
        if text := text_of(said.get(key)):
            part = Text(text) if key == "text" else Media("image", _source(text))
            return EmbedInput((part,), extras=rest(said, frozenset({key})))
    raise InvalidRequest('An input that is an object has a `text` or an `image`, as in {"text": "…"}.', param=path)


def _source(text: str) -> Source:
    """Jina takes an address, a data URL, or bare base64."""
    if text.startswith(("http://", "https://")):
        return Url(text)
    head, comma, data = text.partition(";base64,") if text.startswith("data:") else ("", "", text)
    return Inline(data, head.removeprefix("data:")) if comma or not head else Inline(text)


def form_of(members: Mapping[str, msgspec.Raw], name: str) -> VectorForm | None:
    """How the caller wants the vectors. Raises `InvalidRequest` for a form that is not known."""
    value = present(members.get(name))
    try:
        return _FORM.decode(value) if value is not None else None
    except msgspec.DecodeError as error:
        raise InvalidRequest("Vectors come as `float` or as `base64`.", param=f"$.{name}") from error


def dimensions_of(members: Mapping[str, msgspec.Raw], name: str) -> int | None:
    value = present(members.get(name))
    try:
        length = _LENGTH.decode(value) if value is not None else None
    except msgspec.DecodeError:
        length = 0
    if length is not None and not 0 < length < 2**31:
        raise InvalidRequest("The length of a vector is a whole number above 0.", param=f"$.{name}")
    return length


def weigh(inputs: tuple[EmbedInput, ...]) -> tuple[int, int]:
    """For holds and estimates: bytes of text, a token id being as long as the average token, and the number of pictures."""
    size = media = 0
    for one in inputs:
        for part in one.parts:
            match part:
                case Text(text=text):
                    size += len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
                case Tokens(ids=ids):
                    size += 4 * len(ids)
                case Media():
                    media += 1
    return size, media


def encode_request(request: EmbedRequest, words: Words, losses: Losses) -> bytes:
    """Asks for base64 only when the caller's own format is this one: not every vendor has it, and numbers become base64 here."""
    scope = Scope(words.id, request.dialect, losses)
    is_family = request.dialect in FAMILY
    inputs = [_element(one, words, scope, f"$.input[{at}]") for at, one in enumerate(request.inputs)]
    members: dict[str, Any] = {
        "model": request.model,
        "input": inputs if request.is_list or len(inputs) != 1 else inputs[0],
        words.dimensions: request.dimensions,
        words.form: _form_word(request.form, words) if scope.is_ours else None,
        "user": request.user or None,
        **_purpose(request, words, scope),
    }
    if request.truncate is not None:
        if words.truncate and request.truncate != "start":
            members[words.truncate] = request.truncate == "end"
        else:
            scope.lose("$.truncate")
    extras = request.extras if is_family else scope.extras("$", request.extras)
    return msgspec.json.encode({**lean(members), **{key: value for key, value in extras.items() if key not in members}})


def _form_word(form: VectorForm | None, words: Words) -> str | None:
    return words.float_word if form == "float" else form


def _purpose(request: EmbedRequest, words: Words, scope: Scope) -> dict[str, str]:
    purpose = request.purpose
    if not words.purpose:
        if purpose is not None:
            scope.lose("$.input_type", "the model makes the same vector for every purpose")
        return {}
    if purpose is None:
        if scope.is_ours:
            return {}
        scope.lose("$.input_type", "taken for documents; say `query` for questions", "approximated")
        purpose = "document"
    if purpose not in words.purposes:
        scope.lose("$.input_type", f"taken for a {NEAREST[purpose]}", "approximated")
        purpose = NEAREST[purpose]
    return {words.purpose: words.purposes[purpose]}


def _element(one: EmbedInput, words: Words, scope: Scope, path: str) -> Any:
    if one.title:
        scope.lose(f"{path}.title")
    if len(one.parts) != 1:
        raise InvalidRequest("This model takes one text or one picture for a vector, not several.", param=path)
    match one.parts[0]:
        case Text(text=text):
            extras = scope.extras(path, one.extras)
            return {"text": text, **extras} if extras else text
        case Tokens(ids=ids):
            return ids
        case Media(kind="image", source=source) if words.takes_objects:
            return {"image": _picture(source, path), **scope.extras(path, one.extras)}
        case _:
            raise InvalidRequest("This model takes texts only.", param=path)


def _picture(source: Source, path: str) -> str:
    match source:
        case Url(url=url):
            return url
        case Inline(base64=data, mime=mime):
            return f"data:{mime};base64,{data}" if mime else data
        case FileRef():
            raise InvalidRequest("This model does not take files that lie at another vendor.", param=path)

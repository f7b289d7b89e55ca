"""JSON as it stands in requests and answers: read with the path of what is wrong, kept raw where nobody needs its values."""

import re
from typing import Any, TypeVar

import msgspec

from yibu.hub.errors import InvalidRequest
from yibu.hub.parts import Extras

NULL = msgspec.Raw(b"null")

Fields = dict[str, msgspec.Raw]
T = TypeVar("T")

_PATH = re.compile(r"^(?P<words>.*) - at `(?P<path>[^`]*)`$", re.DOTALL)
_MOST_WORDS = 300
"""msgspec repeats a wrong value whole, however long it is."""
_MISSING = re.compile(r"missing required field `([^`]*)`")

_FIELDS = msgspec.json.Decoder(Fields)


def read(decoder: "msgspec.json.Decoder[T]", text: bytes | msgspec.Raw, where: str = "$") -> T:
    """Decodes what a caller sent, or the piece of it at the path `where`.

    Raises `InvalidRequest` with msgspec's words and the path of the wrong member.
    """
    try:
        return decoder.decode(text)
    except msgspec.ValidationError as error:
        said = str(error)
        found = _PATH.match(said)
        path = where + (found["path"] if found else "$").removeprefix("$")
        said = f"{found['words']} - at `{path}`" if found else said
        missing = _MISSING.search(said)
        param = f"{path}.{missing[1]}" if missing else path
        if len(said) > _MOST_WORDS:
            said = f"{said[:_MOST_WORDS]}… - at `{path}`"
        raise InvalidRequest(f"The request body is not as expected: {said}.", param=param) from error
    except UnicodeDecodeError as error:
        raise InvalidRequest("The request body is not UTF-8 text.") from error
    except RecursionError as error:
        raise InvalidRequest("The request body is nested too deeply.") from error
    except (msgspec.DecodeError, ValueError, OverflowError) as error:
        raise InvalidRequest(f"The request body is not valid JSON: {error}.") from error


def fields(text: bytes | msgspec.Raw, where: str = "$") -> Fields:
    """The members of a JSON object, their values not parsed. Raises `InvalidRequest` when it is none."""
    return read(_FIELDS, text, where)


def rest(members: Fields, known: frozenset[str]) -> Extras:
    """What the hub has no word for. A null is the same as no member."""
    return {key: value for key, value in members.items() if key not in known and bytes(value) != b"null"}


def raw(value: Any) -> msgspec.Raw:
    """Any value that JSON can carry, as JSON text."""
    return msgspec.Raw(msgspec.json.encode(value))


def present(value: msgspec.Raw | None) -> msgspec.Raw | None:
    """None for a member that is absent or null."""
    return None if value is None or bytes(value) == b"null" else value


def merge(members: dict[str, Any], extras: Extras, inner: str = "") -> dict[str, Any]:
    """`members` with the extras beside them; the extra called `inner` holds what remained of that member's own object."""
    for key, value in extras.items():
        if key == inner and isinstance(members.get(key), dict):
            members[key] = {**members[key], **fields(value)}
        else:
            members.setdefault(key, value)
    return members


def split(outer: Extras, inner: str, remains: Extras) -> Extras:
    """The reverse of `merge`: keeps what remained of the member `inner` under its name."""
    return {**outer, inner: raw(remains)} if remains else outer


def lean(members: dict[str, Any]) -> dict[str, Any]:
    """Without the members that are None."""
    return {key: value for key, value in members.items() if value is not None}


def text_of(value: msgspec.Raw | None) -> str | None:
    """A member that is a string; None for any other."""
    if value is None or not bytes(value).lstrip().startswith(b'"'):
        return None
    text: str = msgspec.json.decode(value, type=str)
    return text


def check_depth(body: bytes, limit: int) -> None:
    """Raises `InvalidRequest` when JSON is nested deeper than `limit`, and when the body is not UTF-8.

    Counting brackets settles it for nearly all bodies; else strings are cut out and brackets cancelled pair by pair,
    one level a pass: no step of it runs character by character in Python.
    """
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError as error:
            raise InvalidRequest("The request body is not UTF-8 text.") from error
    openers = 2 * len(body) - len(body.replace(b"{", b"")) - len(body.replace(b"[", b""))  # a fifth of count()'s time
    if openers <= limit:
        return
    bare = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    brackets = b"".join(bare.split(b'"')[::2]).translate(_ALIKE, delete=_NO_BRACKETS)
    for _ in range(limit):
        fewer = brackets.replace(b"{}", b"")
        if len(fewer) == len(brackets):
            return
        brackets = fewer
    if brackets:
        raise InvalidRequest(f"The request body is nested deeper than {limit} levels.")


def check_values(text: bytes) -> None:
    """Raises `InvalidRequest` for values that cannot be read although they are well-formed JSON: half a surrogate pair, a number
    beyond all floats.

    Nobody looks at them in members that are kept raw, and whoever opens these later could not say what is wrong.
    """
    read(_VALUES, text)


_VALUES = msgspec.json.Decoder()
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"{}[]")
_ALIKE = bytes.maketrans(b"[]", b"{}")

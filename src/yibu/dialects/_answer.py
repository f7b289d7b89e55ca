"""Answers that are one JSON object: read, or told to be broken."""

from typing import TypeVar

import msgspec

from yibu.dialects._json import NULL, check_values, present
from yibu.dialects._vendor_errors import error_in_body
from yibu.hub.errors import Broken, InvalidRequest

T = TypeVar("T")


class _Perhaps(msgspec.Struct):
    error: msgspec.Raw = NULL


_PERHAPS = msgspec.json.Decoder(_Perhaps)


def read_answer(decoder: "msgspec.json.Decoder[T]", body: bytes) -> T:
    """Decodes what a vendor answered.

    Raises the error that stands in it although its status was good, and `Broken` when it is not of this format.
    """
    try:
        check_values(body)
        if b'"error"' in body and present(_PERHAPS.decode(body).error) is not None:
            raise error_in_body(msgspec.json.decode(body))
        return decoder.decode(body)
    except (msgspec.DecodeError, InvalidRequest, ValueError, RecursionError) as error:
        words = f"{error}: {body[:200].decode('utf-8', 'replace')}"
        raise Broken(upstream_words=words) from error


def count_of(value: object) -> int | None:
    """A count as vendors write it: an integer, or a float without a fraction. None for anything else."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None

"""Vectors as numbers and as base64 of little-endian float32, one from the other."""

import base64
import binascii
import sys
from array import array
from math import isfinite

from yibu.hub.embed import Floats, Packed, Vector
from yibu.hub.errors import Broken

_FLOAT = "f"
_BYTES = 4


def floats_of(vector: Vector) -> tuple[float, ...]:
    """The numbers. Raises `Broken` when they are none, or not all of them finite.

    A float32 written as JSON has up to 17 digits then, and reads back as the same float32.
    """
    if isinstance(vector, Floats):
        return vector.values
    try:
        data = base64.b64decode(vector.base64, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Broken(upstream_words=f"a vector that is not base64: {error}") from error
    if len(data) % _BYTES:
        raise Broken(upstream_words=f"a vector of {len(data)} bytes")
    numbers = array(_FLOAT, data)
    if sys.byteorder == "big":
        numbers.byteswap()
    values = tuple(numbers)
    if not all(map(isfinite, values)):
        raise Broken(upstream_words="a vector with NaN or infinity in it")
    return values


def packed_of(vector: Vector) -> str:
    """The base64. Raises `Broken` for numbers beyond float32."""
    if isinstance(vector, Packed):
        return vector.base64
    numbers = array(_FLOAT, vector.values)
    if not all(map(isfinite, numbers)):
        raise Broken(upstream_words="a vector with numbers beyond float32")
    if sys.byteorder == "big":
        numbers.byteswap()
    return base64.b64encode(numbers).decode()

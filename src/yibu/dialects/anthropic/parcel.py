"""Another vendor's state on its way through a client of this format.

A client hands thinking blocks back as they came. So what only another vendor understands (encrypted reasoning, the
signature of a call) travels as the `signature` of a thinking block, in a form that begins with `yibu1.` and cannot be
taken for one of Anthropic's. When it comes back it is unpacked for the vendor it belongs to, and taken out of whatever
goes to Anthropic, which refuses signatures that it did not make.
"""

import base64
import binascii

import msgspec

from yibu.hub.parts import Seal

MARK = "yibu1."


class _Parcel(msgspec.Struct, omit_defaults=True, rename={"dialect": "d", "data": "s", "call": "c"}):
    dialect: str = ""
    data: msgspec.Raw = msgspec.Raw(b"null")
    call: str = ""


class Unpacked(msgspec.Struct, frozen=True):
    """`seal` is None when the thought had none; `call`: the id of the call that the seal belongs to, empty for the thought itself."""

    seal: Seal | None
    call: str = ""


_DECODER = msgspec.json.Decoder(_Parcel)


def pack(seal: Seal | None, call: str = "") -> str:
    """What to put where a signature is expected."""
    parcel = _Parcel(call=call) if seal is None else _Parcel(dialect=seal.dialect, data=seal.data, call=call)
    return MARK + base64.urlsafe_b64encode(msgspec.json.encode(parcel)).decode().rstrip("=")


def is_packed(signature: str) -> bool:
    return signature.startswith(MARK)


def unpack(signature: str) -> Unpacked:
    """Of a signature that `is_packed`. One that a client did not keep whole holds nothing."""
    text = signature[len(MARK) :]
    try:
        parcel = _DECODER.decode(base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True))
    except (binascii.Error, msgspec.DecodeError, ValueError, RecursionError):
        return Unpacked(None)
    seal = Seal(dialect=parcel.dialect, data=parcel.data) if parcel.dialect else None
    return Unpacked(seal, parcel.call)

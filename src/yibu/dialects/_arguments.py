"""Arguments of calls in a history, for formats that carry them as text."""

from yibu.dialects._json import fields, raw
from yibu.dialects._scope import Scope
from yibu.hub.errors import InvalidRequest


def whole_arguments(text: str, scope: Scope, where: str) -> str:
    """A JSON object in any case: strict servers read the arguments of a history, and models leave broken ones behind."""
    if not text.strip():
        return "{}"
    try:
        fields(text.encode())
    except (InvalidRequest, UnicodeEncodeError):
        scope.lose(f"{where}.arguments", "no JSON object: sent as the text it is", "approximated")
        return bytes(raw({"_raw": text})).decode()
    return text

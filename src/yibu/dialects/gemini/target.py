"""What the address of a call says: the model, and whether the answer is to be a stream.

Google, *REST resource: models*, read 2026-11-22: the model stands before the last colon, with the prefix `models/` or
`tunedModels/`; clients repeat the first. Without `alt=sse` a stream is a JSON array.
"""

import re

from yibu.dialects.dialect import Target
from yibu.hub.errors import InvalidRequest

_MOST_CHARACTERS = 256
_REPEATED = re.compile(r":(?:\w+Content|countTokens)/")
"""Where a path that was appended to itself goes on."""


def model_of(target: Target) -> str:
    """The bare name; a tuned model keeps its prefix. Raises `InvalidRequest` for one that is too long."""
    name = _REPEATED.split(target.params.get("model", ""), maxsplit=1)[0]
    while name.startswith("models/"):
        name = name.removeprefix("models/")
    if len(name) > _MOST_CHARACTERS:
        raise InvalidRequest(f"The name of a model has at most {_MOST_CHARACTERS} characters.", param="$.model")
    return target.params.get("family", "") + name


def is_stream(target: Target) -> bool:
    return target.params.get("verb") == "streamGenerateContent"


def wants_array(target: Target) -> bool:
    """The stream is to be one JSON array, written element by element."""
    return is_stream(target) and target.query.get("alt") != "sse"

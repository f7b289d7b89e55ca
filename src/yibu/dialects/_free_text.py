"""Tools that take free text, for vendors who know functions only: the text is the one argument `input`.

`hub.masks` takes it out again. Nothing enforces the grammar of such a text then, so the model is told it in the description.
"""

import msgspec

from yibu.dialects._json import fields, present
from yibu.hub.tools import Function

WRAPPED = "input"
SCHEMA = msgspec.Raw(b'{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}')
DETAIL = "free text is told as one argument"
"""The detail of the loss."""


def description(tool: Function) -> str:
    """With the grammar, which stands in `format` (Responses) or one level deeper (Chat)."""
    own = present(tool.extras.get("custom"))
    form = present(tool.extras.get("format") or (fields(own).get("format") if own is not None else None))
    words = f"The input has this format: {bytes(form).decode()}" if form is not None else ""
    return "\n\n".join(filter(None, (tool.description, words)))


def others(tool: Function) -> dict[str, msgspec.Raw]:
    """Members of the tool that the description does not tell."""
    return {key: value for key, value in tool.extras.items() if key not in ("format", "custom")}

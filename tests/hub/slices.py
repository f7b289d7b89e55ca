"""Events cut into smaller ones."""

import msgspec

from yibu.hub.events import Event


def sliced(event: Event, size: int) -> list[Event]:
    """A delta as several of at most `size` characters."""
    text = getattr(event, "text", "")
    if not text:
        return [event]
    return [msgspec.structs.replace(event, text=text[at : at + size]) for at in range(0, len(text), size)]

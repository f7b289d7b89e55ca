"""The mirror: answers with what arrived, as JSON, so that a test can see what a vendor would have understood."""

import msgspec

from yibu.sandbox.ask import Ask, Call, Media, Tool, Turn

_SHOWN = 60  # characters of a data URL


def reflect(ask: Ask) -> str:
    """The request in the sandbox's own words. Members that say nothing are left out; data URLs are cut."""
    told: dict[str, object] = {
        "turns": [_turn(turn) for turn in ask.turns],
        "tools": [_tool(tool) for tool in ask.tools],
        "choice": ask.choice if ask.tools else None,
        "parallel": None if ask.parallel else False,
        "format": ask.format,
        "effort": ask.effort,
        "limit": ask.limit,
        "stops": ask.stops,
        "temperature": ask.temperature,
        "top_p": ask.top_p,
        "seed": ask.seed,
        "n": ask.n if ask.n > 1 else None,
        "logprobs": ask.logprobs,
    }
    return msgspec.json.encode(_lean(told)).decode()


def _turn(turn: Turn) -> dict[str, object]:
    return _lean(
        {
            "role": turn.role,
            "text": turn.text,
            "thoughts": turn.thoughts,
            "media": [_media(media) for media in turn.media],
            "calls": [_call(call) for call in turn.calls],
            "answers": turn.answers,
            "failed": turn.failed or None,
            "mark": turn.mark,
        }
    )


def _media(media: Media) -> dict[str, object]:
    return _lean({"kind": media.kind, "url": media.url[:_SHOWN], "name": media.name})


def _call(call: Call) -> dict[str, object]:
    return {"id": call.id, "name": call.name, "arguments": call.arguments}


def _tool(tool: Tool) -> dict[str, object]:
    return _lean({"name": tool.name, "description": tool.description, "schema": tool.schema, "mark": tool.mark})


def _lean(value: dict[str, object]) -> dict[str, object]:
    return {name: item for name, item in value.items() if item not in (None, "", (), [])}

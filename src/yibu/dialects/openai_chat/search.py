"""The search of the web that stands in Chat as a member of its own, `web_search_options`, and elsewhere as a tool that the vendor runs.

OpenAI, *Web search*, *Chat Completions*, read 2026-11-22.
"""

from typing import Any

from yibu.dialects._json import Fields, fields, present, raw
from yibu.dialects._scope import Scope
from yibu.dialects.openai_chat.wire import ID
from yibu.hub.chat import ChatRequest
from yibu.hub.tools import Hosted

SEARCH = "web_search_options"
_SEARCHERS = ("-search-preview", "-search-api")
"""In the names of the models that take it."""


def decode_search(members: Fields) -> tuple[Hosted, ...]:
    """`web_search_options`, by which models that search the web are told how; what a vendor runs is a tool elsewhere."""
    value = present(members.get(SEARCH))
    return () if value is None else (Hosted(dialect=ID, kind="web_search", data=raw({SEARCH: value})),)


def take_search(request: ChatRequest, scope: Scope) -> tuple[dict[str, Any], set[int]]:
    """`web_search_options` for the search that is asked for, and the numbers of the tools that it stands for.

    Models of others would refuse the member: for those the search stays a tool that nobody runs.
    """
    members: dict[str, Any] = {}
    taken: set[int] = set()
    for number, tool in enumerate(request.tools):
        if not isinstance(tool, Hosted) or tool.kind != "web_search":
            continue
        if tool.dialect == ID and SEARCH in (own := fields(tool.data)):
            members |= own
            taken.add(number)
        elif tool.dialect != ID and any(word in request.model for word in _SEARCHERS):
            scope.lose(f"$.tools[{number}]", f"asked for as {SEARCH}, without its options", "approximated")
            members.setdefault(SEARCH, {})
            taken.add(number)
    return members, taken

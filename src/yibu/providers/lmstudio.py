"""LM Studio, a server of one's own. Docs: lmstudio.ai/docs/developer/openai-compat, read 2026-11-22."""

from yibu.hub.loss import Losses
from yibu.providers._messages import SystemRole
from yibu.providers._quirk import USUAL_CEILING, Fields, OneAnswer, Only, put, value
from yibu.providers.provider import Provider


def any_object(fields: Fields, losses: Losses) -> None:
    """It refuses `json_object`, and takes the schema of any object for the same."""
    if value(fields, "response_format") == {"type": "json_object"}:
        schema = {"name": "object", "schema": {"type": "object"}}
        put(fields, "response_format", {"type": "json_schema", "json_schema": schema})


class LMStudio(Provider):
    """Fetches no pictures; names no function in `tool_choice`."""

    id = "lmstudio"
    title = "LM Studio"
    base_url = "http://127.0.0.1:1234"
    speaks = {
        "openai_chat": "/v1/chat/completions",
        "openai_completions": "/v1/completions",
        "openai_embeddings": "/v1/embeddings",
    }
    inline_media = True
    quirks = {
        "openai_chat": (
            USUAL_CEILING,
            OneAnswer(),
            any_object,
            Only("tool_choice", "auto", "none", "required", instead="required"),
            SystemRole(),
        )
    }

"""Volcengine Ark, Doubao. Docs: www.volcengine.com/docs/82379/1494384 (chat), read 2026-11-22."""

from yibu.hub.loss import Loss, Losses
from yibu.providers._messages import LooseTools, SystemRole, ThoughtsAs
from yibu.providers._quirk import Fields, OneAnswer, Without, put, value
from yibu.providers._thinking import Efforts
from yibu.providers.provider import Provider


def one_ceiling(fields: Fields, losses: Losses) -> None:
    """`max_tokens` bounds the answer alone, `max_completion_tokens` the thoughts too; both together are refused."""
    if value(fields, "max_completion_tokens") is not None and "max_tokens" in fields:
        if value(fields, "max_tokens") is not None:
            losses.append(Loss("dropped", "$.max_tokens", "the vendor takes one ceiling"))
        del fields["max_tokens"]


def stop_thinking(fields: Fields, losses: Losses) -> None:
    if value(fields, "reasoning_effort") == "none":
        del fields["reasoning_effort"]
        if value(fields, "thinking") is None:
            put(fields, "thinking", {"type": "disabled"})


class Doubao(Provider):
    """A model's name is its id or that of an endpoint (`ep-…`), so the list of models is not all.

    Coding plans live at `https://ark.cn-beijing.volces.com/api/coding/v3`.
    """

    id = "doubao"
    title = "Volcengine Ark (Doubao)"
    base_url = "https://ark.cn-beijing.volces.com"
    speaks = {"openai_chat": "/api/v3/chat/completions", "openai_embeddings": "/api/v3/embeddings"}
    models_path = "/api/v3/models"
    lists_all = False
    quirks = {
        "openai_chat": (
            OneAnswer(),
            one_ceiling,
            Without("seed", "user", "store", "metadata", "top_k"),
            stop_thinking,
            Efforts(
                {"minimal": "minimal", "low": "low", "medium": "medium", "high": "high", "xhigh": "high", "max": "high"}
            ),
            LooseTools(),
            SystemRole(),
            ThoughtsAs("reasoning_content", "reasoning", "reasoning_details"),
        )
    }

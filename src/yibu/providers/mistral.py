"""Mistral. Docs: docs.mistral.ai/api (chat completions), read 2026-11-22; its recordings for what it refuses."""

from yibu.hub.loss import Losses
from yibu.providers._messages import FOREIGN_THOUGHTS, BareMessages, NineLetterIds, SystemRole
from yibu.providers._quirk import USUAL_CEILING, Fields, Rename, Without
from yibu.providers._thinking import Efforts
from yibu.providers.provider import Provider


def usage_comes_anyway(fields: Fields, losses: Losses) -> None:
    """Every stream ends with its usage here, so nothing is lost with the wish for it."""
    fields.pop("stream_options", None)


class Mistral(Provider):
    """Refuses every member that it does not know, and ids of calls that are not nine letters and digits."""

    id = "mistral"
    title = "Mistral"
    base_url = "https://api.mistral.ai"
    speaks = {
        "openai_chat": "/v1/chat/completions",
        "openai_completions": "/v1/fim/completions",
        "openai_embeddings": "/v1/embeddings",
        "openai_moderations": "/v1/moderations",
    }
    quirks = {
        "openai_chat": (
            USUAL_CEILING,
            Rename("seed", "random_seed"),
            usage_comes_anyway,
            Without(
                "user",
                "logprobs",
                "top_logprobs",
                "logit_bias",
                "store",
                "service_tier",
                "modalities",
                "verbosity",
                "safety_identifier",
                "top_k",
                "functions",
                "function_call",
            ),
            Efforts(
                {"minimal": "none", "low": "high", "medium": "high", "high": "high", "xhigh": "high", "max": "high"}
            ),
            SystemRole(),
            FOREIGN_THOUGHTS,
            BareMessages("name", "refusal", "audio", "annotations", "function_call"),
            NineLetterIds(),
        )
    }

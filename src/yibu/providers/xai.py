"""xAI. Docs: docs.x.ai/docs/api-reference and docs.x.ai/developers/model-capabilities/text/reasoning, read 2026-11-22."""

from yibu.hub.loss import Losses
from yibu.providers._items import TextResults
from yibu.providers._quirk import Fields, For, Without, model
from yibu.providers._thinking import Efforts
from yibu.providers.provider import Provider

SAMPLING = Without(
    "presence_penalty", "frequency_penalty", "stop", "logit_bias", because="a model that reasons refuses it"
)
KNOWING_EFFORTS = ("grok-3-mini", "grok-4.3", "grok-4.5", "grok-4.6", "grok-4.7", "grok-latest", "grok-5")
_EFFORTS = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "high", "max": "high"}


def efforts(fields: Fields, losses: Losses) -> None:
    """Only some models can be told how much to think; the others refuse the member, whatever it says."""
    name = model(fields)
    if name.startswith(KNOWING_EFFORTS):
        Efforts(_EFFORTS, can_stop=name.startswith("grok-4.3"))(fields, losses)
    else:
        Without("reasoning_effort", "reasoning", because="this model thinks as it likes")(fields, losses)


class XAI(Provider):
    """Thoughts are not counted among the tokens of an answer, which the dialect knows. Results of tools are text in both formats."""

    id = "xai"
    title = "xAI"
    base_url = "https://api.x.ai"
    speaks = {"openai_chat": "/v1/chat/completions", "openai_responses": "/v1/responses"}
    quirks = {
        "openai_chat": (For(["grok-3-mini", "grok-4", "grok-code", "grok-build", "grok-5"], SAMPLING), efforts),
        "openai_responses": (TextResults(),),
    }

"""OpenAI's own API, and whoever speaks its formats at the same paths.

Docs: platform.openai.com/docs/api-reference, read 2026-11-22.
"""

from yibu.hub.loss import Losses
from yibu.hub.work import Work
from yibu.providers._messages import FOREIGN_THOUGHTS
from yibu.providers._openai_videos import OpenAIVideos
from yibu.providers._quirk import Fields, For, Rename, Without, model, value
from yibu.providers.provider import Provider

OWN = ("gpt-", "chatgpt-", "o1", "o3", "o4")
"""Names of OpenAI's own models; others behind this provider are somebody else's, who may want what OpenAI refuses."""
THINKING = ("o1", "o3", "o4", "gpt-5", "gpt-6")
SAMPLING = Without(
    "temperature",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "logprobs",
    "top_logprobs",
    "logit_bias",
    because="a model that reasons refuses it",
)


def sampling_of_thinkers(fields: Fields, losses: Losses) -> None:
    """Models that reason sample in their own way, except when they are told not to reason; 1 is what they do anyway."""
    if "-chat" in model(fields) or value(fields, "reasoning_effort") == "none":
        return
    for name in ("temperature", "top_p"):
        if value(fields, name) == 1:
            del fields[name]
    SAMPLING(fields, losses)


CHAT = (
    For(OWN, FOREIGN_THOUGHTS, Without("top_k", "enable_thinking", "thinking", "reasoning")),
    For(THINKING, Rename("max_tokens", "max_completion_tokens"), sampling_of_thinkers),
)


class OpenAI(Provider):
    """Everything that OpenAI offers, and films in the format of its Videos API, which lives on as the common one of relays."""

    id = "openai"
    title = "OpenAI"
    base_url = "https://api.openai.com"
    speaks = {
        "openai_chat": "/v1/chat/completions",
        "openai_responses": "/v1/responses",
        "openai_completions": "/v1/completions",
        "openai_embeddings": "/v1/embeddings",
        "openai_moderations": "/v1/moderations",
    }
    counts = {"openai_responses": "/v1/responses/input_tokens"}
    quirks = {"openai_chat": CHAT}
    quirky_models = OWN
    works = {Work.VIDEO: OpenAIVideos()}

    def understands(self, dialect: str, model: str) -> bool:
        """Of its own models only those that complete are served there; all others only chat."""
        return dialect != "openai_completions" or "-instruct" in model or not model.startswith(OWN)

"""Groq. Docs: console.groq.com/docs/openai and console.groq.com/docs/reasoning, read 2026-11-22."""

from yibu.providers._messages import BareMessages, SystemRole, ThoughtsAs
from yibu.providers._quirk import Always, For, OneAnswer, Without
from yibu.providers._thinking import Efforts
from yibu.providers.provider import Provider

_DEGREES = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "high", "max": "high"}
_ON = dict.fromkeys(("minimal", "low", "medium", "high", "xhigh", "max"), "default")


class Groq(Provider):
    """Answers 400 to members that it lacks; open models show their thoughts in a member of their own only when asked to."""

    id = "groq"
    title = "Groq"
    base_url = "https://api.groq.com"
    speaks = {"openai_chat": "/openai/v1/chat/completions"}
    models_path = "/openai/v1/models"
    quirks = {
        "openai_chat": (
            OneAnswer(),
            Without("logprobs", "top_logprobs", "logit_bias", "top_k", "store", "metadata", "prompt_cache_key"),
            BareMessages("name", "reasoning_details"),
            ThoughtsAs("reasoning", "reasoning_content"),
            SystemRole(),
            For(["openai/gpt-oss"], Efforts(_DEGREES, can_stop=False)),
            For(["qwen/"], Efforts(_ON), Always("reasoning_format", "parsed")),
            For(["llama", "meta-llama/", "moonshotai/", "mistral"], Without("reasoning_effort", "reasoning")),
        )
    }

"""MiniMax. Docs: platform.minimax.io/docs/api-reference/text-openai-api, read 2026-11-22."""

from yibu.providers._messages import SystemRole
from yibu.providers._quirk import USUAL_CEILING, Always, Between, OneAnswer, Without
from yibu.providers.provider import Provider


class MiniMax(Provider):
    """Thoughts stand in `<think>` within the answer unless `reasoning_split` is on, so it is always on.

    The address in China is `https://api.minimaxi.com`.
    """

    id = "minimax"
    title = "MiniMax"
    base_url = "https://api.minimax.io"
    speaks = {"openai_chat": "/v1/chat/completions", "anthropic": "/anthropic/v1/messages"}
    quirks = {
        "openai_chat": (
            USUAL_CEILING,
            OneAnswer(),
            Between("temperature", 0.01, 1),
            Between("top_p", 0.01, 1),
            Without(
                "presence_penalty",
                "frequency_penalty",
                "logit_bias",
                "logprobs",
                "top_logprobs",
                "functions",
                "function_call",
                because="MiniMax ignores it",
            ),
            Always("reasoning_split", True),
            SystemRole(),
        )
    }

"""SiliconFlow. Docs: docs.siliconflow.com/en/api-reference/chat-completions/chat-completions, read 2026-11-22."""

from yibu.providers._messages import SystemRole, ThoughtsAs
from yibu.providers._quirk import USUAL_CEILING, Without
from yibu.providers._thinking import Budget
from yibu.providers.provider import Provider


class SiliconFlow(Provider):
    """Open models for chat, vectors and ranking. The address in China is `https://api.siliconflow.cn`."""

    id = "siliconflow"
    title = "SiliconFlow"
    base_url = "https://api.siliconflow.com"
    speaks = {
        "openai_chat": "/v1/chat/completions",
        "anthropic": "/v1/messages",
        "openai_embeddings": "/v1/embeddings",
        "siliconflow_rerank": "/v1/rerank",
    }
    quirks = {
        "openai_chat": (
            USUAL_CEILING,
            Without(
                "logprobs", "top_logprobs", "logit_bias", "seed", "user", "store", "metadata", "parallel_tool_calls"
            ),
            Budget(),
            SystemRole(),
            ThoughtsAs("reasoning_content", "reasoning", "reasoning_details"),
        )
    }

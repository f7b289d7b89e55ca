"""What each vendor's quirks make of a request, as a table: vendor, what was sent, what it gets, where something was lost."""

from typing import Any

import pytest
from msgspec import Raw, json

from yibu.hub.errors import InvalidRequest
from yibu.hub.loss import Losses
from yibu.providers import discover

NAMED = {"type": "function", "function": {"name": "f"}}
CALLS = [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
TALK = [{"role": "user", "content": "x"}]


def mend(vendor: str, members: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    fields = {name: Raw(json.encode(value)) for name, value in members.items()}
    losses: Losses = []
    made = discover()[vendor].prepare("openai_chat", fields, losses)
    return {name: json.decode(value) for name, value in made.items()}, [loss.where for loss in losses]


@pytest.mark.parametrize(
    ("vendor", "sent", "got", "lost"),
    [
        # OpenAI: models that reason have their own ceiling and sampling; others' models behind it are left alone
        ("openai", {"model": "gpt-5-mini", "max_tokens": 9, "temperature": 1}, {"max_completion_tokens": 9}, []),
        ("openai", {"model": "o3", "temperature": 0.2, "top_p": 1}, {}, ["$.temperature"]),
        ("openai", {"model": "gpt-5-chat-latest", "temperature": 0.2}, {"temperature": 0.2}, []),
        (
            "openai",
            {"model": "gpt-5.2", "temperature": 0.2, "reasoning_effort": "none"},
            {"temperature": 0.2, "reasoning_effort": "none"},
            [],
        ),
        ("openai", {"model": "gpt-4o", "max_tokens": 9, "top_k": 4}, {"max_tokens": 9}, ["$.top_k"]),
        (
            "openai",
            {"model": "gpt-4o", "messages": [{"role": "assistant", "content": "a", "reasoning_content": "Hm"}]},
            {"messages": [{"role": "assistant", "content": "a"}]},
            ["$.messages[0].reasoning_content"],
        ),
        ("azure_openai", {"model": "gpt-5", "max_tokens": 9}, {"max_completion_tokens": 9}, []),
        # DeepSeek
        ("deepseek", {"max_completion_tokens": 9}, {"max_tokens": 9}, []),
        ("deepseek", {"reasoning_effort": "none"}, {"thinking": {"type": "disabled"}}, []),
        (
            "deepseek",
            {"reasoning_effort": "medium"},
            {"thinking": {"type": "enabled"}, "reasoning_effort": "high"},
            ["$.reasoning_effort"],
        ),
        (
            "deepseek",
            {"tool_choice": "required"},
            {"tool_choice": "required", "thinking": {"type": "disabled"}},
            ["$.thinking"],
        ),
        (
            "deepseek",
            {"tool_choice": NAMED, "reasoning_effort": "low"},
            {"tool_choice": "auto", "thinking": {"type": "enabled"}, "reasoning_effort": "low"},
            ["$.tool_choice"],
        ),
        (
            "deepseek",
            {"messages": [{"role": "assistant", "tool_calls": CALLS}]},
            {"messages": [{"role": "assistant", "tool_calls": CALLS, "reasoning_content": ""}]},
            [],
        ),
        # Mistral
        ("mistral", {"seed": 7, "stream_options": {"include_usage": True}}, {"random_seed": 7}, []),
        ("mistral", {"reasoning_effort": "low"}, {"reasoning_effort": "high"}, ["$.reasoning_effort"]),
        # xAI
        (
            "xai",
            {"model": "grok-4.7", "reasoning_effort": "low", "stop": ["x"]},
            {"reasoning_effort": "low"},
            ["$.stop"],
        ),
        ("xai", {"model": "grok-4.3", "reasoning_effort": "none"}, {"reasoning_effort": "none"}, []),
        ("xai", {"model": "grok-4.7", "reasoning_effort": "none"}, {}, ["$.reasoning_effort"]),
        ("xai", {"model": "grok-code-fast-1", "reasoning_effort": "low"}, {}, ["$.reasoning_effort"]),
        ("xai", {"model": "grok-3", "stop": ["x"]}, {"stop": ["x"]}, []),
        # Groq
        ("groq", {"logprobs": True, "n": 1}, {}, ["$.logprobs"]),
        ("groq", {"model": "qwen/qwen3-32b"}, {"reasoning_format": "parsed"}, []),
        (
            "groq",
            {"model": "qwen/qwen3-32b", "reasoning_effort": "none"},
            {"reasoning_format": "parsed", "reasoning_effort": "none"},
            [],
        ),
        ("groq", {"model": "openai/gpt-oss-20b", "reasoning_effort": "medium"}, {"reasoning_effort": "medium"}, []),
        ("groq", {"model": "llama-3.3-70b-versatile", "reasoning_effort": "low"}, {}, ["$.reasoning_effort"]),
        # Together, Fireworks
        ("together", {"max_completion_tokens": 9, "user": "u"}, {"max_tokens": 9}, ["$.user"]),
        (
            "fireworks",
            {"max_completion_tokens": 9, "reasoning_effort": "low"},
            {"max_tokens": 9, "reasoning_effort": "low"},
            [],
        ),
        # Moonshot
        ("moonshot", {"model": "kimi-k2.6", "temperature": 0.3}, {}, ["$.temperature"]),
        ("moonshot", {"model": "kimi-k2.6", "reasoning_effort": "none"}, {"thinking": {"type": "disabled"}}, []),
        ("moonshot", {"model": "kimi-k3", "reasoning_effort": "none"}, {}, ["$.reasoning_effort"]),
        (
            "moonshot",
            {"model": "kimi-k3", "reasoning_effort": "medium"},
            {"reasoning_effort": "high"},
            ["$.reasoning_effort"],
        ),
        ("moonshot", {"model": "kimi-k2.6", "tool_choice": "required"}, {"tool_choice": "auto"}, ["$.tool_choice"]),
        ("moonshot", {"model": "moonshot-v1-8k", "temperature": 1.5}, {"temperature": 1}, ["$.temperature"]),
        # Zhipu
        ("zhipu", {"model": "glm-4.7", "reasoning_effort": "none"}, {"thinking": {"type": "disabled"}}, []),
        (
            "zhipu",
            {"model": "glm-5.2", "reasoning_effort": "medium"},
            {"thinking": {"type": "enabled"}, "reasoning_effort": "high"},
            ["$.reasoning_effort"],
        ),
        ("zhipu", {"tool_choice": "none", "tools": [{}]}, {}, ["$.tool_choice"]),
        ("zhipu", {"tool_choice": NAMED}, {"tool_choice": "auto"}, ["$.tool_choice"]),
        (
            "zhipu",
            {"temperature": 1.5, "presence_penalty": 1},
            {"temperature": 1},
            ["$.temperature", "$.presence_penalty"],
        ),
        # Qwen
        (
            "qwen",
            {"model": "qwen-plus", "reasoning_effort": "low"},
            {"enable_thinking": True, "thinking_budget": 2048},
            ["$.reasoning_effort"],
        ),
        ("qwen", {"model": "qwen3-32b"}, {"enable_thinking": False}, []),
        ("qwen", {"model": "qwen3-32b", "stream": True}, {"stream": True}, []),
        ("qwen", {"model": "qwen3-32b", "enable_thinking": True}, {"enable_thinking": False}, ["$.enable_thinking"]),
        ("qwen", {"model": "qwen-max", "tool_choice": "required"}, {"tool_choice": "auto"}, ["$.tool_choice"]),
        ("qwen", {"model": "qwen-max", "tool_choice": NAMED}, {"tool_choice": NAMED, "enable_thinking": False}, []),
        # Doubao
        ("doubao", {"reasoning_effort": "none"}, {"thinking": {"type": "disabled"}}, []),
        ("doubao", {"reasoning_effort": "medium"}, {"reasoning_effort": "medium"}, []),
        ("doubao", {"max_tokens": 5, "max_completion_tokens": 9}, {"max_completion_tokens": 9}, ["$.max_tokens"]),
        # MiniMax, Qianfan, Hunyuan, StepFun, SiliconFlow
        ("minimax", {"temperature": 0}, {"temperature": 0.01, "reasoning_split": True}, ["$.temperature"]),
        ("qianfan", {"reasoning_effort": "none"}, {"enable_thinking": False}, []),
        ("hunyuan", {"max_completion_tokens": 9, "seed": 3}, {"max_tokens": 9, "seed": 3}, []),
        ("stepfun", {"max_completion_tokens": 9, "seed": 3}, {"max_tokens": 9}, ["$.seed"]),
        ("siliconflow", {"reasoning_effort": "none", "user": "u"}, {"enable_thinking": False}, ["$.user"]),
        # Cohere's compatibility address
        (
            "cohere",
            {"reasoning_effort": "low", "store": True},
            {"reasoning_effort": "high"},
            ["$.store", "$.reasoning_effort"],
        ),
        # servers of one's own
        ("ollama", {"max_completion_tokens": 9, "tool_choice": "auto"}, {"max_tokens": 9}, ["$.tool_choice"]),
        ("vllm", {"reasoning_effort": "none"}, {"chat_template_kwargs": {"enable_thinking": False}}, []),
        ("llamacpp", {"reasoning_effort": "none"}, {"chat_template_kwargs": {"enable_thinking": False}}, []),
        ("xinference", {"max_completion_tokens": 9}, {"max_tokens": 9}, []),
        (
            "lmstudio",
            {"response_format": {"type": "json_object"}, "tool_choice": NAMED},
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "object", "schema": {"type": "object"}},
                },
                "tool_choice": "required",
            },
            ["$.tool_choice"],
        ),
        # those who take everything
        ("openrouter", {"seed": 7, "reasoning": {"effort": "low"}}, {"seed": 7, "reasoning": {"effort": "low"}}, []),
        ("openai_compatible", {"max_completion_tokens": 9, "seed": 7}, {"max_completion_tokens": 9, "seed": 7}, []),
    ],
)
def test_what_a_vendor_would_trip_over_is_mended(
    vendor: str, sent: dict[str, Any], got: dict[str, Any], lost: list[str]
) -> None:
    """And what is lost by it is told."""
    given = {"model": "m", "messages": TALK} | sent
    made, where = mend(vendor, given)

    assert made == {"model": given["model"], "messages": TALK} | got
    assert where == lost


@pytest.mark.parametrize(
    "vendor", ["deepseek", "groq", "zhipu", "doubao", "minimax", "qianfan", "hunyuan", "ollama", "lmstudio", "cohere"]
)
def test_vendors_of_one_choice_refuse_more(vendor: str) -> None:
    """Rather than answering with fewer than were asked for."""
    with pytest.raises(InvalidRequest) as refused:
        mend(vendor, {"model": "m", "n": 2})

    assert refused.value.param == "$.n"


def test_requests_without_quirks_stay_bytes() -> None:
    """Looking into a request costs time; OpenAI's provider does so for OpenAI's own models only."""
    openai, router = discover()["openai"], discover()["openrouter"]

    assert [openai.has_quirks("openai_chat", model) for model in ("gpt-4o", "o3-mini", "deepseek-chat")] == [
        True,
        True,
        False,
    ]
    assert not openai.has_quirks("openai_embeddings", "gpt-4o")
    assert not router.has_quirks("openai_chat", "gpt-4o")


@pytest.mark.parametrize(
    ("vendor", "header"),
    [
        ("openai", {"authorization": "Bearer s"}),
        ("anthropic", {"x-api-key": "s"}),
        ("azure_openai", {"api-key": "s"}),
        ("gemini", {"x-goog-api-key": "s"}),
    ],
)
def test_keys_travel_as_the_vendor_wants_them(vendor: str, header: dict[str, str]) -> None:
    auth: Any = discover()[vendor].auth

    assert auth.headers("s") == header
    assert auth.headers("") == {}


@pytest.mark.parametrize(
    ("vendor", "dialect", "is_stream", "address"),
    [
        ("openai", "openai_chat", True, "https://api.openai.com/v1/chat/completions"),
        ("anthropic", "anthropic", True, "https://api.anthropic.com/v1/messages"),
        ("gemini", "gemini", False, "https://generativelanguage.googleapis.com/v1beta/models/m%2F1:generateContent"),
        (
            "gemini",
            "gemini",
            True,
            "https://generativelanguage.googleapis.com/v1beta/models/m%2F1:streamGenerateContent?alt=sse",
        ),
        ("deepseek", "anthropic", False, "https://api.deepseek.com/anthropic/v1/messages"),
        ("groq", "openai_chat", False, "https://api.groq.com/openai/v1/chat/completions"),
        ("openrouter", "openai_chat", False, "https://openrouter.ai/api/v1/chat/completions"),
        ("fireworks", "openai_chat", False, "https://api.fireworks.ai/inference/v1/chat/completions"),
        ("zhipu", "openai_chat", False, "https://api.z.ai/api/paas/v4/chat/completions"),
        ("qwen", "openai_chat", False, "https://dashscope-intl.aliyuncs.com/compatible-mode/v1/chat/completions"),
        ("doubao", "openai_chat", False, "https://ark.cn-beijing.volces.com/api/v3/chat/completions"),
        ("qianfan", "openai_chat", False, "https://qianfan.baidubce.com/v2/chat/completions"),
        ("cohere", "openai_chat", False, "https://api.cohere.com/compatibility/v1/chat/completions"),
    ],
)
def test_calls_go_where_the_vendors_pages_say(vendor: str, dialect: str, is_stream: bool, address: str) -> None:
    provider = discover()[vendor]

    assert provider.url(provider.base_url, dialect, "m/1", is_stream=is_stream) == address


@pytest.mark.parametrize(
    ("vendor", "typed", "address"),
    [
        ("zhipu", "https://api.z.ai/api/coding/paas/v4", "https://api.z.ai/api/coding/paas/v4/chat/completions"),
        ("zhipu", "https://open.bigmodel.cn/api/paas/v4/", "https://open.bigmodel.cn/api/paas/v4/chat/completions"),
        ("doubao", "https://ark.x.com/api/coding/v3", "https://ark.x.com/api/coding/v3/chat/completions"),
        (
            "qwen",
            "https://dashscope.aliyuncs.com/compatible-mode/v1",
            "https://dashscope.aliyuncs.com/compatible-mode/v1/chat/completions",
        ),
        ("moonshot", "https://api.moonshot.cn/v1", "https://api.moonshot.cn/v1/chat/completions"),
        (
            "openrouter",
            "https://openrouter.ai/api/v1/chat/completions",
            "https://openrouter.ai/api/v1/chat/completions",
        ),
        (
            "openai",
            "https://generativelanguage.googleapis.com/v1beta/openai/",
            "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions",
        ),
    ],
)
def test_other_addresses_of_vendors_work_too(vendor: str, typed: str, address: str) -> None:
    """Regions and plans, as the vendors' pages write them."""
    assert discover()[vendor].url(typed, "openai_chat", "m", is_stream=False) == address

"""The sandbox in the place of each vendor: address, key, quirks and format of its file, over HTTP."""

from pathlib import Path
from typing import Any

import pytest

from tests.house import House, open_house, settings_for
from yibu.app.sandbox import SandboxChild
from yibu.kit.settings import Settings

UPSTREAM = "sandbox/rules"
CHATS = (
    "openai",
    "openai_compatible",
    "deepseek",
    "openrouter",
    "xai",
    "groq",
    "together",
    "fireworks",
    "moonshot",
    "zhipu",
    "qwen",
    "doubao",
    "qianfan",
    "hunyuan",
    "stepfun",
    "siliconflow",
    "ollama",
    "vllm",
    "lmstudio",
    "llamacpp",
    "xinference",
)
"""Not Mistral, MiniMax and Cohere: they give usage unasked, know a member or have a folder that the sandbox has not."""
OWN = ("anthropic", "gemini", "bedrock")
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


@pytest.fixture
def settings(tmp_path: Path, sandbox: SandboxChild) -> Settings:
    """A channel for each vendor. Compatible ones are typed with `/v1`, wherever the vendor's own paths are."""
    [first, *_] = sandbox.join(settings_for(tmp_path / "keys")).channels
    key = first.keys[0]
    channels = [
        {
            "name": vendor,
            "provider": vendor,
            "base_url": f"{sandbox.url}/v1" if vendor in CHATS else sandbox.url,
            "keys": [key],
            "models": {f"by-{vendor}": UPSTREAM},
            "speaks": ["openai_chat"] if vendor in CHATS else [],
        }
        for vendor in (*CHATS, *OWN)
    ]
    prices = [{"model": f"by-{vendor}", "input": "1", "output": "1"} for vendor in (*CHATS, *OWN)]
    return settings_for(tmp_path / "data", channels=channels, prices=prices)


async def converse(house: House, vendor: str) -> list[Any]:
    """Asks for a call, gives its result, and reads the answer as a stream; what came of it."""
    asked: list[Any] = [{"role": "user", "content": "What is the weather in Paris?"}]
    request: Any = {"model": f"by-{vendor}", "tools": [TOOL], "max_completion_tokens": 500}
    whole = await house.openai.chat.completions.create(messages=asked, **request)
    [choice] = whole.choices
    [call] = choice.message.tool_calls or []
    result = {"role": "tool", "tool_call_id": call.id, "content": "18 degrees"}
    answered = [*asked, choice.message.model_dump(exclude_none=True), result]
    stream = await house.openai.chat.completions.create(
        messages=answered, **request, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    usage = chunks[-1].usage
    return [choice.finish_reason, "18 degrees" in text, usage is not None and usage.completion_tokens > 0]


async def test_every_vendor_holds_a_conversation_with_tools(settings: Settings) -> None:
    """A call, its result, and an answer, whole and streamed, with the usage that the vendor counted."""
    async with open_house(settings) as house:
        found = {vendor: await converse(house, vendor) for vendor in (*CHATS, *OWN)}

    assert found == {vendor: ["tool_calls", True, True] for vendor in (*CHATS, *OWN)}

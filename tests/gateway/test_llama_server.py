"""llama.cpp's own server as the vendor, asked by the official SDKs: it shares no line with the gateway or the sandbox.

It speaks OpenAI's Chat and Responses and Anthropic's Messages. Each client asks in its own format, piped and translated.
"""

from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import anthropic
import pytest
import pytest_asyncio

from tests.app.test_config_file import serve_llama
from tests.gateway.test_chat import rows
from tests.house import House, open_house, settings_for
from yibu.kit.settings import ChannelSettings, PriceSettings

SYSTEM = "Be helpful."
QUESTION, MOST = "What is the capital of France?", 40
STORY, LEAST = "Tell me a long story about a fox and a heron.", 16
VENDORS = {
    "openai_chat": ("openai", "/v1"),
    "openai_responses": ("openai", "/v1"),
    "anthropic": ("anthropic", ""),
}
"""By the format that the server is asked in: the provider and the end of its base URL."""

SILENT = {"openai_responses"}
"""In this format the server calls every answer `completed` (xllamacpp 2026.10, looked at 2026-11-22)."""


class Said(NamedTuple):
    """What a client understood. `finish`: stop or length, whatever the words of its format."""

    text: str
    finish: str
    input: int
    output: int


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    yield from serve_llama()


@pytest_asyncio.fixture
async def house(tmp_path: Path, upstream: str) -> AsyncIterator[House]:
    """It sells the model of that server once for each format."""
    channels = tuple(
        ChannelSettings(
            name=format,
            provider=provider,
            base_url=upstream + path,
            keys=("llama-secret",),
            models={format: "smol"},
            speaks=(format,),
        )
        for format, (provider, path) in VENDORS.items()
    )
    prices = tuple(
        PriceSettings(
            model=format, input=Decimal("1"), output=Decimal("2"), input_cached=Decimal("1"), reasoning=Decimal("2")
        )
        for format in VENDORS
    )
    async with open_house(settings_for(tmp_path / "data", channels=channels, prices=prices)) as opened:
        yield opened


async def ask_chat(house: House, model: str, question: str, most: int, *, is_stream: bool) -> Said:
    asked: dict[str, Any] = {
        "model": model,
        "max_completion_tokens": most,
        "temperature": 0,
        "messages": [{"role": "system", "content": SYSTEM}, {"role": "user", "content": question}],
    }
    create: Any = house.openai.chat.completions.create
    if not is_stream:
        whole = await create(**asked)
        choice, usage = whole.choices[0], whole.usage
        return Said(choice.message.content, choice.finish_reason, usage.prompt_tokens, usage.completion_tokens)
    stream = await create(**asked, stream=True, stream_options={"include_usage": True})
    chunks = [chunk async for chunk in stream]
    choices = [choice for chunk in chunks for choice in chunk.choices]
    usage = chunks[-1].usage
    text = "".join(choice.delta.content or "" for choice in choices)
    return Said(text, choices[-1].finish_reason, usage.prompt_tokens, usage.completion_tokens)


async def ask_responses(house: House, model: str, question: str, most: int, *, is_stream: bool) -> Said:
    asked: dict[str, Any] = {
        "model": model,
        "max_output_tokens": most,
        "temperature": 0,
        "instructions": SYSTEM,
        "input": question,
        "store": False,
    }
    create: Any = house.openai.responses.create
    if is_stream:
        events = [event async for event in await create(**asked, stream=True)]
        answer = events[-1].response
        deltas = "".join(event.delta for event in events if event.type == "response.output_text.delta")
        assert deltas == answer.output_text
    else:
        answer = await create(**asked)
    finish = {"completed": "stop", "incomplete": "length"}[answer.status]
    return Said(answer.output_text, finish, answer.usage.input_tokens, answer.usage.output_tokens)


async def ask_messages(house: House, model: str, question: str, most: int, *, is_stream: bool) -> Said:
    asked: dict[str, Any] = {
        "model": model,
        "max_tokens": most,
        "extra_body": {"temperature": 0},
        "system": SYSTEM,
        "messages": [{"role": "user", "content": question}],
    }
    async with anthropic.AsyncAnthropic(api_key=house.key, base_url=house.url, max_retries=0) as client:
        if is_stream:
            async with client.messages.stream(**asked) as stream:
                answer: Any = await stream.get_final_message()
        else:
            answer = await client.messages.create(**asked)
    text = "".join(block.text for block in answer.content if block.type == "text")
    finish = {"end_turn": "stop", "max_tokens": "length"}[answer.stop_reason]
    usage = answer.usage
    read = (usage.cache_read_input_tokens or 0) + (usage.cache_creation_input_tokens or 0)
    return Said(text, finish, usage.input_tokens + read, usage.output_tokens)


CLIENTS = {"openai_chat": ask_chat, "openai_responses": ask_responses, "anthropic": ask_messages}


@pytest.mark.parametrize("is_stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("client", CLIENTS)
async def test_one_question(house: House, client: str, vendor: str, is_stream: bool) -> None:
    """Text, end and usage arrive in the client's format, and what the usage says is what was charged."""
    said = await CLIENTS[client](house, vendor, QUESTION, MOST, is_stream=is_stream)
    spent = await house.spent()
    [row] = await rows(house)

    assert "Paris" in said.text
    assert said.finish == "stop"
    assert said.input > 10
    assert 0 < said.output <= MOST
    assert spent == row["cost"] == said.input * 1_000 + said.output * 2_000
    assert not row["is_estimated"]
    assert (row["dialect"], row["channel"], row["status"]) == (client, vendor, 200)


@pytest.mark.parametrize("is_stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("client", CLIENTS)
async def test_an_answer_that_is_cut_short(house: House, client: str, vendor: str, is_stream: bool) -> None:
    """The ceiling reaches the server, and the client learns that it was met, unless the server keeps it to itself."""
    said = await CLIENTS[client](house, vendor, STORY, LEAST, is_stream=is_stream)

    assert said.finish == ("stop" if vendor in SILENT else "length")
    assert said.output == LEAST


async def test_tokens_are_counted_by_the_server(house: House) -> None:
    """`count_tokens` says what the answer's usage says later, and costs nothing."""
    async with anthropic.AsyncAnthropic(api_key=house.key, base_url=house.url, max_retries=0) as client:
        counted = await client.messages.count_tokens(
            model="anthropic", system=SYSTEM, messages=[{"role": "user", "content": QUESTION}]
        )
    assert await house.spent() == 0
    said = await ask_messages(house, "anthropic", QUESTION, LEAST, is_stream=False)

    assert counted.input_tokens == said.input

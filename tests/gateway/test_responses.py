"""OpenAI's Responses interface through the whole house with the official SDK, unmodified."""

import asyncio
import json
from typing import Any

import openai
import pytest
from openai.types.responses import Response
from pydantic import BaseModel
from sqlalchemy import select, update

from tests.gateway.conftest import SLOW
from tests.house import House, open_house
from yibu.kit.settings import Settings
from yibu.ledger.tables import call
from yibu.responses import store
from yibu.responses.tables import response as response_table

WEATHER: Any = {
    "type": "function",
    "name": "get_weather",
    "description": "Weather of a city",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": False,
}


@pytest.fixture(params=["openai_chat", "openai_responses"])
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    """The sandbox as a vendor who speaks one format alone: another one, and the caller's own."""
    channel, *_ = settings.channels
    return settings.model_copy(update={"channels": (channel.model_copy(update={"speaks": (request.param,)}),)})


class Person(BaseModel):
    name: str
    age: int


async def ended(house: House, id: str) -> Response:
    """The response when nobody makes it any more."""
    async with asyncio.timeout(10):
        while True:
            found = await house.openai.responses.retrieve(id)
            if found.status not in ("queued", "in_progress"):
                return found
            await asyncio.sleep(0.02)


async def test_answer(house: House) -> None:
    """A whole answer is a response with text, usage and an id, and repeats what was asked."""
    answer = await house.openai.responses.create(
        model="sandbox/rules", input="Say hello", instructions="Be brief.", metadata={"a": "b"}, temperature=0.5
    )

    assert answer.output_text
    assert answer.status == "completed"
    assert answer.id.startswith("resp_")
    assert answer.usage
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens
    assert (answer.instructions, answer.metadata, answer.temperature) == ("Be brief.", {"a": "b"}, 0.5)
    assert await house.spent() > 0


async def test_stream(house: House) -> None:
    """The SDK gathers a stream into the response that its last event has; numbers rise without a gap."""
    numbers: list[int] = []
    async with house.openai.responses.stream(model="sandbox/rules", input="Say hello") as stream:
        async for event in stream:
            numbers.append(event.sequence_number)
        final = await stream.get_final_response()

    assert final.output_text
    assert final.usage
    assert numbers == list(range(len(numbers)))


async def test_parse(house: House) -> None:
    """Structured output is parsed into the caller's class."""
    answer = await house.openai.responses.parse(model="sandbox/rules", input="A person", text_format=Person)

    assert isinstance(answer.output_parsed, Person)


async def test_loop_of_tools(house: House) -> None:
    """A call, its result and the answer, each continuing the one before by its id alone."""
    first = await house.openai.responses.create(
        model="sandbox/rules", input="What is the weather in Paris?", tools=[WEATHER], tool_choice="required"
    )
    [made] = [item for item in first.output if item.type == "function_call"]
    assert made.name == "get_weather"
    assert "city" in json.loads(made.arguments)

    second = await house.openai.responses.create(
        model="sandbox/rules",
        previous_response_id=first.id,
        input=[{"type": "function_call_output", "call_id": made.call_id, "output": "sunny"}],
        tools=[WEATHER],
    )

    assert second.previous_response_id == first.id
    assert second.store is True
    assert second.output_text
    again = await house.openai.responses.retrieve(second.id)
    assert again.previous_response_id == first.id
    assert again.output == second.output


async def test_streamed_response_can_be_continued(house: House) -> None:
    """A stream is kept before its last event is sent, so that the next call may come at once."""
    async with house.openai.responses.stream(model="sandbox/rules", input="one") as stream:
        first = await stream.get_final_response()
    async with house.openai.responses.stream(
        model="sandbox/rules", input="two", previous_response_id=first.id
    ) as stream:
        second = await stream.get_final_response()
    assert second.previous_response_id == first.id

    listed = await house.openai.responses.input_items.list(second.id, order="asc")
    texts = [item.content[0].text for item in listed.data if item.type == "message"]  # type: ignore[union-attr]
    assert texts[0] == "one"
    assert texts[1] == first.output_text
    assert texts[2] == "two"


async def test_input_items_in_pages(house: House) -> None:
    """Items come newest first unless asked otherwise, each with an id, a page at a time."""
    words = [{"role": "user", "content": word} for word in ("a", "b", "c")]
    answer = await house.openai.responses.create(model="sandbox/rules", input=words)  # type: ignore[arg-type]

    page = await house.openai.responses.input_items.list(answer.id, limit=2)
    assert [item.content[0].text for item in page.data] == ["c", "b"]  # type: ignore[union-attr]
    assert page.has_more
    rest = await house.openai.responses.input_items.list(answer.id, after=page.last_id, limit=2)
    assert [item.content[0].text for item in rest.data] == ["a"]  # type: ignore[union-attr]
    with pytest.raises(openai.BadRequestError):
        await house.openai.responses.input_items.list(answer.id, after="item_none")


async def test_item_reference(house: House) -> None:
    """A reference to an item of an earlier answer stands for that item."""
    first = await house.openai.responses.create(model="sandbox/rules", input="one")
    second = await house.openai.responses.create(
        model="sandbox/rules",
        input=[{"type": "item_reference", "id": first.output[0].id or ""}, {"role": "user", "content": "two"}],
    )

    listed = await house.openai.responses.input_items.list(second.id, order="asc")
    assert listed.data[0].content[0].text == first.output_text  # type: ignore[union-attr]
    with pytest.raises(openai.BadRequestError, match="not found"):
        await house.openai.responses.create(model="sandbox/rules", input=[{"type": "item_reference", "id": "msg_none"}])


async def test_delete(house: House) -> None:
    """What was deleted is not found any more, and cannot be continued."""
    answer = await house.openai.responses.create(model="sandbox/rules", input="one")
    await house.openai.responses.delete(answer.id)

    with pytest.raises(openai.NotFoundError):
        await house.openai.responses.retrieve(answer.id)
    with pytest.raises(openai.BadRequestError) as refused:
        await house.openai.responses.create(model="sandbox/rules", input="two", previous_response_id=answer.id)
    assert refused.value.code == "previous_response_not_found"
    assert refused.value.param == "previous_response_id"


async def test_not_stored(house: House) -> None:
    """`store: false` leaves nothing behind."""
    answer = await house.openai.responses.create(model="sandbox/rules", input="one", store=False)

    assert answer.store is False
    with pytest.raises(openai.NotFoundError):
        await house.openai.responses.retrieve(answer.id)


async def test_of_somebody_else(house: House) -> None:
    """Responses of another wallet are as good as none."""
    answer = await house.openai.responses.create(model="sandbox/rules", input="one")
    await house.app.house.db.write(
        lambda conn: conn.execute(update(response_table).values(wallet=house.wallet + 1)) and None
    )

    for look in (house.openai.responses.retrieve, house.openai.responses.input_items.list):
        with pytest.raises(openai.NotFoundError):
            await look(answer.id)


async def test_expired(house: House) -> None:
    """What is older than it may be is not found, and a chore deletes it."""
    answer = await house.openai.responses.create(model="sandbox/rules", input="one")
    await house.app.house.db.write(lambda conn: conn.execute(update(response_table).values(expires_at=1)) and None)

    with pytest.raises(openai.NotFoundError):
        await house.openai.responses.retrieve(answer.id)
    assert await house.app.house.archive.remove_expired() == 1
    assert await house.app.house.db.read(lambda conn: store.load(conn, house.wallet, answer.id, 0)) is None


async def test_background(house: House) -> None:
    """A response in the background is queued at once, goes on without its caller, is charged and found when done."""
    answer = await house.openai.responses.create(model=SLOW, input="Say hello", background=True)
    assert answer.status == "queued"
    assert answer.background is True
    done = await ended(house, answer.id)

    assert done.status == "completed"
    assert done.id == answer.id
    assert done.output_text
    assert done.background is True
    assert await house.spent() > 0


async def test_background_survives_a_hang_up(house: House) -> None:
    """Who leaves the stream of a response in the background takes it up again where he was."""
    stream = await house.openai.responses.create(model=SLOW, input="Say hello", background=True, stream=True)
    seen: list[Any] = []
    async for event in stream:
        seen.append(event)
        if event.type == "response.output_text.delta":
            break
    await stream.close()
    id = seen[0].response.id
    rest = await house.openai.responses.retrieve(id, stream=True, starting_after=seen[-1].sequence_number)
    async for event in rest:
        seen.append(event)

    assert [event.sequence_number for event in seen] == list(range(len(seen)))
    assert [event.type for event in seen[:2]] == ["response.created", "response.queued"]
    assert seen[-1].type == "response.completed"
    deltas = "".join(event.delta for event in seen if event.type == "response.output_text.delta")
    assert deltas == seen[-1].response.output_text
    again = await house.openai.responses.retrieve(id, stream=True, starting_after=1)
    assert [event.type async for event in again] == [event.type for event in seen[2:]]


async def test_cancel(house: House) -> None:
    """A cancelled response stays cancelled, its hold is given back, and cancelling again changes nothing."""
    answer = await house.openai.responses.create(model=SLOW, input="Say hello", background=True)
    cancelled = await house.openai.responses.cancel(answer.id)
    assert cancelled.status == "cancelled"
    found = await ended(house, answer.id)

    assert found.status == "cancelled"
    assert (await house.openai.responses.cancel(answer.id)).status == "cancelled"
    assert await house.held() == 0
    plain = await house.openai.responses.create(model="sandbox/rules", input="one")
    with pytest.raises(openai.BadRequestError):
        await house.openai.responses.cancel(plain.id)


async def test_background_has_to_be_stored(house: House) -> None:
    """A response that nobody keeps cannot be asked for later."""
    with pytest.raises(openai.BadRequestError) as refused:
        await house.openai.responses.create(model="sandbox/rules", input="one", background=True, store=False)
    assert refused.value.param == "$.store"


async def test_background_of_a_vendor_who_fails(house: House) -> None:
    """What goes wrong with nobody waiting is told by the state, and costs nothing."""
    answer = await house.openai.responses.create(model="sandbox/busy-429", input="one", background=True)
    done = await ended(house, answer.id)

    assert done.status == "failed"
    assert done.error
    assert done.error.code == "rate_limit_exceeded"
    assert await house.held() == 0
    assert await house.spent() == 0


async def test_crash(settings: Settings) -> None:
    """A response that its process did not finish is failed at the next start, with its hold given back."""
    async with open_house(settings) as house:
        answer = await house.openai.responses.create(model=SLOW, input="one", background=True)
        kept = await house.app.house.archive.find(house.wallet, answer.id)
        assert kept
        await house.openai.responses.cancel(answer.id)
        await ended(house, answer.id)
        await house.app.house.archive.save(kept)  # as the killed process left it
        assert await house.app.house.archive.fail_unfinished() == 1
        found = await house.openai.responses.retrieve(answer.id)

        assert found.status == "failed"
        assert found.error
        assert "stopped" in found.error.message


@pytest.mark.parametrize("settings", ["openai_chat"], indirect=True)
async def test_state_that_only_a_vendor_has(house: House) -> None:
    """A conversation that lives at the vendor cannot be answered by another one."""
    with pytest.raises(openai.BadRequestError) as refused:
        await house.openai.responses.create(model="sandbox/rules", input="one", conversation="conv_1")
    assert refused.value.param == "$.conversation"


@pytest.mark.parametrize("settings", ["openai_chat"], indirect=True)
async def test_wrong_input(house: House) -> None:
    """The path of the wrong member is told, in this format's error."""
    with pytest.raises(openai.BadRequestError) as refused:
        await house.openai.responses.create(
            model="sandbox/rules",
            input=[{"role": "nobody", "content": "x"}],  # type: ignore[list-item]
        )
    assert refused.value.param == "$.input[0].role"
    for path in ("/v1/responses/resp_x", "/v1/responses/resp_x/input_items"):
        status, _, body = await house.get(path)
        assert status == 404
        assert json.loads(body)["error"]["message"].startswith("Response with id 'resp_x' not found.")


@pytest.mark.parametrize("said", [1, ["a"], {"id": "x"}])
async def test_hostile_ids(house: House, said: Any) -> None:
    """Ids of a wrong type are told as such."""
    status, _, body = await house.post(
        {"model": "sandbox/rules", "input": "x", "previous_response_id": said}, path="/v1/responses"
    )

    assert status == 400
    assert "previous_response_id" in json.loads(body)["error"]["param"]


async def test_stream_that_breaks(house: House) -> None:
    """A stream that its vendor cut ends with a failed response, which names the one that was begun."""
    events = []
    stream = await house.openai.responses.create(model="sandbox/cut-mid-stream", input="one", stream=True)
    async for event in stream:
        events.append(event)

    assert events[-1].type == "response.failed"
    assert events[-1].response.id == events[0].response.id  # type: ignore[union-attr]
    assert [event.sequence_number for event in events] == list(range(len(events)))


async def test_log_of_calls(house: House) -> None:
    """The call's row says which format was spoken."""
    await house.openai.responses.create(model="sandbox/rules", input="one")
    await house.app.house.closings.drain()
    found = await house.app.house.db.read(lambda conn: conn.execute(select(call.c.dialect, call.c.operation)).all())

    assert [tuple(row) for row in found] == [("openai_responses", "chat")]


async def test_input_tokens(house: House) -> None:
    """Tokens are counted before a call, with the conversation that it continues; it costs nothing."""
    short = await house.openai.responses.input_tokens.count(model="sandbox/rules", input="one")
    first = await house.openai.responses.create(model="sandbox/rules", input="one " * 50)
    spent = await house.spent()
    long = await house.openai.responses.input_tokens.count(
        model="sandbox/rules", input="two", previous_response_id=first.id
    )

    assert short.object == "response.input_tokens"
    assert long.input_tokens > short.input_tokens + 40
    assert await house.spent() == spent

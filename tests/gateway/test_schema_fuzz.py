"""Every route that the formats declare, called with whatever its schema allows and with what it does not: never a 5xx.

The description of the interface is put together here, from the routes and an outline of the bodies.
"""

import asyncio
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from tests.house import House
from yibu.dialects import discover

MODELS = ["sandbox/rules", "sandbox/claude", "sandbox/gemini", "no-such-model"]


def an_object(*required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


def a_list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


ANY: dict[str, Any] = {}
TEXT = {"type": "string"}
NUMBER = {"type": ["number", "null"]}
PART = an_object(
    type={"enum": ["text", "image_url", "input_text", "image", "tool_use", "tool_result", "odd"]}, text=TEXT
)
CONTENT = {"anyOf": [TEXT, a_list(PART)]}
TURN = an_object("role", role={"enum": ["system", "user", "assistant", "tool"]}, content=CONTENT)
COMMON = {
    "model": {"enum": MODELS},
    "stream": {"type": ["boolean", "null"]},
    "temperature": NUMBER,
    "tools": a_list(an_object(type=TEXT, name=TEXT, function=ANY, parameters=ANY, input_schema=ANY)),
    "tool_choice": ANY,
    "metadata": ANY,
}
BODIES = {
    "openai_chat": an_object("model", "messages", messages=a_list(TURN), n=NUMBER, response_format=ANY, **COMMON),
    "openai_responses": an_object("model", "input", input=CONTENT, text=ANY, reasoning=ANY, **COMMON),
    "anthropic": an_object("model", "messages", messages=a_list(TURN), max_tokens=NUMBER, thinking=ANY, **COMMON),
    "gemini": an_object(
        "contents",
        contents=a_list(
            an_object(role={"enum": ["user", "model"]}, parts=a_list(an_object(text=TEXT, inlineData=ANY)))
        ),
        generationConfig={"type": "object"},
        tools=a_list(an_object(functionDeclarations=ANY)),
    ),
}
"""In outline: what is inside them is the matter of the codecs' own fuzzing."""
FORMATS = sorted(id for id, format in discover().items() if format.routes)


def described(format: str) -> dict[str, Any]:
    """The OpenAPI description of one format's routes."""
    body = BODIES.get(format, an_object(model={"enum": MODELS}, input=ANY, query=ANY, documents=ANY, prompt=ANY))
    paths: dict[str, Any] = {}
    for route in discover()[format].routes:
        path = route.path.replace(":path}", "}")
        names = [piece.partition("}")[0] for piece in path.split("{")[1:]]
        known = {"model": {"enum": MODELS}}
        called: dict[str, Any] = {
            "parameters": [
                {"name": name, "in": "path", "required": True, "schema": known.get(name, {"type": "string"})}
                for name in names
            ],
            "responses": {"default": {"description": "an answer or an error in the caller's format"}},
        }
        if route.method == "POST":
            called["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
        paths.setdefault(path, {})[route.method.lower()] = called
    return {
        "openapi": "3.1.0",
        "info": {"title": "Yibu", "version": "1"},
        "paths": paths,
    }


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value)
@pytest.mark.parametrize("format", FORMATS)
async def test_no_call_breaks_the_gateway(house: House, format: str, mode: GenerationMode) -> None:
    """Neither what fits the schema nor what does not; 502 to 504 would be a vendor's failure, and the sandbox has none here."""
    statuses: list[int] = []

    def call_all() -> None:
        for found in schemathesis.openapi.from_dict(described(format)).get_all_operations():
            operation = found.ok()

            @settings(
                max_examples=10,
                derandomize=True,
                database=None,
                deadline=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(operation.as_strategy(mode))
            def call(case: Any) -> None:
                answer = case.call(base_url=house.url, headers=house.bearer, timeout=30)
                statuses.append(answer.status_code)
                assert answer.status_code < 500, (case.method, case.path, case.body, answer.text)

            try:
                call()
            except Unsatisfiable:  # a route without parameters or a body cannot be called wrongly
                continue

    await asyncio.to_thread(call_all)

    assert statuses or mode is GenerationMode.NEGATIVE

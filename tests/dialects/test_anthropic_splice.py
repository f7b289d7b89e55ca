"""A request for a vendor of the same format: the same bytes, but for the model and for what only the gateway put there."""

import json
from typing import Any

import msgspec
import pytest

from tests.corpus import Recording, name_of, needs_corpus, recordings
from yibu.dialects.anthropic import DIALECT, parcel
from yibu.hub.parts import Seal

PACKED = parcel.pack(Seal("openai_responses", msgspec.Raw(b'{"encrypted_content":"x"}')))


def spliced(messages: Any, model: str = "m", **members: Any) -> Any:
    body = json.dumps({"model": "m", "max_tokens": 9, "messages": messages, **members}).encode()
    return json.loads(DIALECT.splice(DIALECT.sniff(body), model))


@needs_corpus
@pytest.mark.parametrize("taken", [taken for taken in recordings("anthropic") if taken.request], ids=name_of)
def test_bytes_stay(taken: Recording) -> None:
    """With the same name not a byte changes; with another one only the name does."""
    intent = DIALECT.sniff(taken.asked)

    assert DIALECT.splice(intent, intent.model) is intent.body
    assert json.loads(DIALECT.splice(intent, "other")) == {**(taken.request or {}), "model": "other"}


def test_foreign_thoughts_never_reach_anthropic() -> None:
    """Pitfall 83: a thinking block that carries another vendor's state is taken out, others stay as they are."""
    own = {"type": "thinking", "thinking": "mine", "signature": "EqQB"}
    said = [{"type": "thinking", "thinking": "hm", "signature": PACKED}, {"type": "text", "text": "y"}]
    messages = [
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": said},
        {"role": "user", "content": [{"type": "text", "text": "z"}]},
        {"role": "assistant", "content": [own, {"type": "text", "text": "w"}]},
        {"role": "user", "content": "v"},
    ]
    made = spliced(messages)

    assert made["messages"][1]["content"] == [{"type": "text", "text": "y"}]
    assert made["messages"][3]["content"][0] == own
    assert "yibu1." not in json.dumps(made)


def test_turn_of_nothing_but_a_parcel() -> None:
    """It is left out."""
    messages = [
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "", "signature": PACKED}]},
        {"role": "user", "content": "y"},
    ]

    assert [message["role"] for message in spliced(messages)["messages"]] == ["user", "user"]


def test_citations_of_another_vendor() -> None:
    """Only those are taken out."""
    theirs = {
        "type": "web_search_result_location",
        "url": "u",
        "encrypted_index": parcel.MARK,
        "cited_text": "",
        "title": "t",
    }
    own = {**theirs, "encrypted_index": "E"}
    text = {"type": "text", "text": "a", "citations": [theirs, own]}
    made = spliced(
        [{"role": "user", "content": "x"}, {"role": "assistant", "content": [text, {**text, "citations": [theirs]}]}]
    )

    assert made["messages"][1]["content"] == [{**text, "citations": [own]}, {"type": "text", "text": "a"}]


@pytest.mark.parametrize(("kind", "after"), [("enabled", "disabled"), ("adaptive", "adaptive")])
def test_thinking_in_a_loop_whose_thoughts_were_foreign(kind: str, after: str) -> None:
    """Pitfall 24: a budget would be refused there, so this turn goes without."""
    said = [
        {"type": "thinking", "thinking": "hm", "signature": PACKED},
        {"type": "tool_use", "id": "a", "name": "f", "input": {}},
    ]
    messages = [
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": said},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": "18"}]},
    ]

    assert spliced(messages, thinking={"type": kind, "budget_tokens": 1024})["thinking"]["type"] == after


@pytest.mark.parametrize("content", ["say yibu1. to me", [{"type": "text", "text": "yibu1."}]])
def test_the_mark_as_a_word(content: Any) -> None:
    """Whoever writes about our mark is not bothered."""
    messages = [{"role": "user", "content": content}]

    assert spliced(messages)["messages"] == messages


def test_counting() -> None:
    """The request for a count is spliced in the same way."""
    intent = DIALECT.sniff_count(json.dumps({"model": "m", "messages": [{"role": "user", "content": "x"}]}).encode())

    assert json.loads(DIALECT.splice_count(intent, "other"))["model"] == "other"

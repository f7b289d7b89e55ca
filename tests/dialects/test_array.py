"""A JSON array, cut into its elements as they arrive."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yibu.dialects import _array
from yibu.dialects._array import Elements
from yibu.hub.errors import Broken

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.lists(st.dictionaries(st.text(), JSON, max_size=3), max_size=4)


@given(objects=OBJECTS, spaced=st.booleans(), raw=st.booleans(), size=st.integers(1, 7))
def test_wherever_it_is_cut_the_elements_are_the_same(
    objects: list[object], spaced: bool, raw: bool, size: int
) -> None:
    """Inside of a string, an escape, a character, between elements; their bytes are not altered."""
    texts = [
        json.dumps(one, indent=1 if spaced else None, ensure_ascii=not raw).encode("utf-8", "replace")
        for one in objects
    ]
    body = b"[" + b"\r\n,\r\n".join(texts) + b"]\n"
    elements = Elements()
    found = [one for at in range(0, len(body), size) for one in elements.feed(body[at : at + size])]

    assert found == texts
    assert elements.is_whole


def test_an_object_without_an_array_counts() -> None:
    """An error may come so."""
    elements = Elements()

    assert elements.feed(b' {"error": {"code": 5}}\n') == [b'{"error": {"code": 5}}']
    assert elements.is_whole


@pytest.mark.parametrize("body", [b"[{}", b'[{"a":"]', b"[{},", b"["])
def test_what_is_missing_is_known(body: bytes) -> None:
    elements = Elements()
    elements.feed(body)

    assert not elements.is_whole


@pytest.mark.parametrize("body", [b"nonsense", b"[1,2]", b"[{}]]", b"[{}]{}", b"[[{}]]", b"<html>"])
def test_what_is_no_array_of_objects(body: bytes) -> None:
    """It is told at the latest at the end, so that the elements before it count however the stream was cut."""
    elements = Elements()
    with pytest.raises(Broken):  # noqa: PT012
        elements.feed(body)
        elements.finish()


def test_what_stands_before_nonsense_counts() -> None:
    elements = Elements()

    assert elements.feed(b'[{"a":1},{"b":2},nonsense') == [b'{"a":1}', b'{"b":2}']
    with pytest.raises(Broken):
        elements.feed(b'{"c":3}')


def test_an_element_beyond_all_measure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded by one element."""
    monkeypatch.setattr(_array, "MAX_FRAME_BYTES", 1000)
    elements = Elements()
    for _ in range(50):
        elements.feed(b'{"a":"' + b"x" * 900 + b'"},')
    elements.feed(b'{"a":"' + b"x" * 900)
    with pytest.raises(Broken):
        elements.feed(b"x" * 900)

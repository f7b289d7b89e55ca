"""Rerank answers fitted to their requests."""

import msgspec
import pytest

from yibu.hub.errors import Broken
from yibu.hub.rerank import Document, Ranked, RerankReply, RerankRequest, fit_rerank, joined, searches


def asked(*texts: str, top_n: int | None = None, return_documents: bool = False) -> RerankRequest:
    documents = tuple(Document(text) for text in texts)
    return RerankRequest(model="m", query="q", documents=documents, top_n=top_n, return_documents=return_documents)


def test_sorted_and_cut() -> None:
    """A vendor that ignores `top_n`, or the order, is put right."""
    reply = RerankReply(results=(Ranked(0, 0.1), Ranked(1, 0.9), Ranked(2, 0.5)))

    fitted = fit_rerank(asked("a", "b", "c", top_n=2), reply)

    assert [(one.index, one.score) for one in fitted.results] == [(1, 0.9), (2, 0.5)]
    assert fitted.asked == 3


def test_documents_are_the_callers_own() -> None:
    """What is echoed is what the caller wrote, not what the vendor made of it; unasked there is no echo."""
    reply = RerankReply(results=(Ranked(0, 0.1, Document("A (cut)")),))

    assert fit_rerank(asked("A whole", return_documents=True), reply).results[0].document == Document("A whole")
    assert fit_rerank(asked("A whole"), reply).results[0].document is None


@pytest.mark.parametrize("indexes", [(1,), (-1,), (0, 0)])
def test_nonsense_indexes(indexes: tuple[int, ...]) -> None:
    """An index outside the request, or given twice, is a broken answer."""
    with pytest.raises(Broken):
        fit_rerank(asked("a"), RerankReply(results=tuple(Ranked(index, 0.5) for index in indexes)))


def test_searches_are_counted_by_hundreds() -> None:
    """One unit of search is a query with up to a hundred documents."""
    assert [searches(count) for count in (1, 100, 101, 250)] == [1, 1, 2, 3]


@pytest.mark.parametrize(
    ("keys", "text"),
    [((), "cats"), (("title",), "title: On pets"), (("title", "year"), "title: On pets\nyear: 1999"), (("none",), "")],
)
def test_objects_are_joined(keys: tuple[str, ...], text: str) -> None:
    """An object is ranked by its text, or by the members that were named."""
    fields = msgspec.json.decode(b'{"title":"On pets","year":1999,"text":"cats"}', type=dict[str, msgspec.Raw])

    assert joined(fields, keys) == text


def test_objects_without_text() -> None:
    """Without a `text`, all members are lines."""
    fields = msgspec.json.decode(b'{"title":"On pets","year":1999}', type=dict[str, msgspec.Raw])

    assert joined(fields) == "title: On pets\nyear: 1999"

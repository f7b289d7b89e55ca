"""What vendors call the purpose of vectors.

Words: Google *Embeddings* (`taskType`), Cohere *Embed v2* (`input_type`), Jina *Embeddings* (`task`), Voyage *Embeddings*
(`input_type`), read 2026-11-22.
"""

from collections.abc import Mapping

from yibu.dialects._json import Fields, text_of
from yibu.hub.embed import Purpose

MEMBERS = ("input_type", "task_type", "task", "taskType")
"""Where callers of any format put it: they know the model, and take its vendor's word."""

_SAID: Mapping[str, Purpose] = {
    "query": "query",
    "search_query": "query",
    "retrieval_query": "query",
    "retrieval.query": "query",
    "document": "document",
    "passage": "document",
    "search_document": "document",
    "retrieval_document": "document",
    "retrieval.passage": "document",
    "semantic_similarity": "similarity",
    "similarity": "similarity",
    "text-matching": "similarity",
    "classification": "classification",
    "clustering": "clustering",
    "separation": "clustering",
    "question_answering": "question",
    "fact_verification": "fact",
    "code_retrieval_query": "code_query",
    "nl2code.query": "code_query",
    "code.query": "code_query",
    "nl2code.passage": "code_document",
    "code.passage": "code_document",
}

NEAREST: Mapping[Purpose, Purpose] = {
    "question": "query",
    "fact": "query",
    "code_query": "query",
    "code_document": "document",
    "similarity": "document",
    "classification": "document",
    "clustering": "document",
}
"""What comes closest where a vendor has no word for the purpose."""


def purpose_in(members: Fields) -> tuple[str, Purpose] | None:
    """The member that tells the purpose, and the purpose; None when none does in a word that is known."""
    for name in MEMBERS:
        if name in members and (purpose := purpose_of(text_of(members[name]) or "")):
            return name, purpose
    return None


def purpose_of(word: str) -> Purpose | None:
    return _SAID.get(word.lower())

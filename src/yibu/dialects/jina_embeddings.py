"""Jina's embeddings: OpenAI's format with a task, and with pictures. Source: Jina, *Embeddings API*, read 2026-11-22.

It has no path here: who calls `/v1/embeddings` speaks OpenAI's format, and may add Jina's `task`.
"""

from typing import ClassVar

from yibu.dialects.dialect import Route
from yibu.dialects.openai_embeddings import OpenAIEmbeddings
from yibu.dialects.openai_embeddings.words import Words


class JinaEmbeddings(OpenAIEmbeddings):
    id: ClassVar[str] = "jina_embeddings"
    title: ClassVar[str] = "Jina Embeddings"
    routes: ClassVar[tuple[Route, ...]] = ()
    words: ClassVar[Words] = Words(
        id=id,
        purpose="task",
        purposes={
            "query": "retrieval.query",
            "document": "retrieval.passage",
            "similarity": "text-matching",
            "classification": "classification",
            "clustering": "separation",
        },
        form="embedding_type",
        truncate="truncate",
        takes_objects=True,
    )


DIALECT = JinaEmbeddings()

"""Voyage's embeddings: OpenAI's format with an input type. Source: Voyage, *Text embeddings API* and recorded answers, read 2026-11-22.

It refuses the word `float`: numbers are what it gives when nothing is said. It has no path here, as Jina's has none.
"""

from typing import ClassVar

from yibu.dialects.dialect import Route
from yibu.dialects.openai_embeddings import OpenAIEmbeddings
from yibu.dialects.openai_embeddings.words import Words


class VoyageEmbeddings(OpenAIEmbeddings):
    id: ClassVar[str] = "voyage_embeddings"
    title: ClassVar[str] = "Voyage Embeddings"
    routes: ClassVar[tuple[Route, ...]] = ()
    most_inputs: ClassVar[int] = 1000
    words: ClassVar[Words] = Words(
        id=id,
        purpose="input_type",
        purposes={"query": "query", "document": "document"},
        dimensions="output_dimension",
        float_word=None,
        truncate="truncation",
    )


DIALECT = VoyageEmbeddings()

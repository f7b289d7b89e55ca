"""Loads the language model in the background and says in a line what became of it."""

import asyncio
from collections.abc import Callable

from yibu.sandbox.engines.llama import Llama, LlamaUnavailable


class Language:
    """`model()` waits for the load and gives None when there is no model; the caller then uses the rules engine."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._loading: asyncio.Task[Llama | None] | None = None

    def load(self) -> None:
        """Begin to load. Needs a running event loop; a second call does nothing."""
        if self._loading is None:
            self._loading = asyncio.create_task(self._load())

    async def model(self) -> Llama | None:
        """The model once it is loaded."""
        self.load()
        assert self._loading is not None
        return await asyncio.shield(self._loading)

    async def close(self) -> None:
        """Stop the model, if it runs."""
        if self._loading is not None and (model := await self._loading):
            await model.close()

    async def _load(self) -> Llama | None:
        try:
            model = await asyncio.to_thread(Llama.start)
        except LlamaUnavailable as exc:
            self._report(f"sandbox text: rules only, because {exc}")
            return None
        self._report("sandbox text: SmolLM2-135M on llama.cpp")
        return model

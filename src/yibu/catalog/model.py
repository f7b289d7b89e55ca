"""What is known of a model by its public name."""

import tomllib
from collections.abc import Iterable
from importlib import resources
from typing import Literal

import msgspec

Kind = Literal["chat", "video", "embedding", "rerank", "moderation"]


class Model(msgspec.Struct, frozen=True):
    """`name` may end in `*` for all names that begin so; `kind`: how it is served; see `kit.settings.ModelSettings`."""

    name: str
    kind: Kind = "chat"
    owner: str = ""
    max_output_tokens: int = 8192
    on_disconnect: Literal["stop", "drain"] = "stop"
    on_loss: Literal["declare", "refuse"] = "declare"


UNKNOWN = Model("*", owner="yibu")


def shipped() -> tuple[Model, ...]:
    """The table that comes with the program."""
    text = resources.files("yibu.catalog").joinpath("data/models.toml").read_text("utf-8")
    return tuple(msgspec.convert(row, Model) for row in tomllib.loads(text)["models"])


class Models:
    """Looks models up by name. Later tables win over earlier ones, exact names over patterns, longer patterns over shorter."""

    def __init__(self, *tables: Iterable[Model]) -> None:
        self._by_name = {model.name: model for table in tables for model in table}
        self._patterns = sorted((m for m in self._by_name.values() if m.name.endswith("*")), key=lambda m: -len(m.name))
        self._found: dict[str, Model] = {}

    def find(self, name: str) -> Model:
        """Never fails: an unknown name is a chat model with cautious limits."""
        if name not in self._found:
            if len(self._found) > 10_000:
                self._found.clear()
            self._found[name] = msgspec.structs.replace(self._match(name), name=name)
        return self._found[name]

    def _match(self, name: str) -> Model:
        if name in self._by_name:
            return self._by_name[name]
        return next((model for model in self._patterns if name.startswith(model.name[:-1])), UNKNOWN)

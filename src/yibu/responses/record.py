"""One kept response."""

import msgspec

UNFINISHED = ("queued", "in_progress")


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the table. `input`: JSON text of the items that the caller sent; `body`: of the response; times are unix
    milliseconds; `item_ids`: what a later call may refer to."""

    wallet: int
    id: str
    previous_id: str = ""
    model: str
    status: str
    input: str
    body: str
    events: bytes | None = None
    created_at: int
    expires_at: int

    @property
    def is_finished(self) -> bool:
        return self.status not in UNFINISHED

    @property
    def item_ids(self) -> list[str]:
        found = msgspec.json.decode(self.body, type=_Body).output or []
        return sorted({item.id for item in found if item.id})


class _Item(msgspec.Struct):
    id: str | None = None


class _Body(msgspec.Struct):
    output: list[_Item] | None = None

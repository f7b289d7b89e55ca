"""One piece of long work, as its row tells it."""

from enum import StrEnum

import msgspec


class State(StrEnum):
    """accepted ─► submitting ─► running ─► collecting ─► done, and from each of them to failed or expired."""

    ACCEPTED = "accepted"
    SUBMITTING = "submitting"
    RUNNING = "running"
    COLLECTING = "collecting"
    DONE = "done"
    FAILED = "failed"
    EXPIRED = "expired"

    @property
    def is_final(self) -> bool:
        return self in (State.DONE, State.FAILED, State.EXPIRED)


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where work may be done: a channel, one of its credentials, the upstream's name of the model."""

    channel: str
    credential: int
    model: str


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """Members are the columns of `tables.task`, where their meaning stands."""

    id: str
    kind: str
    state: State = State.ACCEPTED
    wallet: int = 0
    key_id: str = ""
    request_id: str = ""
    model: str = ""
    request: str = "{}"
    places: str = "[]"
    place: int = 0
    upstream_id: str = ""
    is_queued: bool = True
    progress: int = 0
    error_code: str = ""
    error_message: str = ""
    is_policy: bool = False
    hold_amount: int = 0
    cost: int = 0
    sheet: str = "{}"
    attempt: int = 0
    next_at: int | None = None
    lease_until_at: int | None = None
    lease_token: str | None = None
    created_at: int = 0
    deadline_at: int | None = None
    final_at: int | None = None

    @property
    def where(self) -> Place:
        """The place that is being tried or has taken it."""
        places: list[Place] = msgspec.json.decode(self.places, type=list[Place])
        return places[self.place % len(places)]

    @property
    def place_count(self) -> int:
        return len(msgspec.json.decode(self.places, type=list[Place]))

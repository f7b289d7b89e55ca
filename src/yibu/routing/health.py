"""What this process has seen of its channels: failure rate, cooling credentials, models a vendor turned out not to have.

Nothing of it is shared between processes; being wrong for a while costs a detour, never a wrong answer.
"""

from collections import defaultdict
from collections.abc import Callable

from yibu.hub.errors import Absent, Broken, Busy, Denied, Late, UpstreamError

COOL_S = 5.0
"""How long a busy credential rests when the vendor did not say."""
PARK_S = 300.0
"""How long a credential rests that the vendor did not accept."""
ABSENT_S = 300.0
"""How long a model is not asked for where the vendor does not know it."""
OPEN_S = 15.0
"""How long a broken channel rests before one call may try it again."""
OPEN_AFTER = 5
"""So many failures in a row open the circuit."""
SMOOTHING = 0.2


class Health:
    """`now`: a monotonic clock in seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._failures: dict[str, float] = defaultdict(float)
        self._in_a_row: dict[str, int] = defaultdict(int)
        self._open_until: dict[str, float] = {}
        self._probed_until: dict[str, float] = {}
        self._parked: dict[tuple[str, int], float] = {}
        self._cooling: dict[tuple[str, int, str], float] = {}
        self._absent: dict[tuple[str, str], float] = {}

    def score(self, channel: str) -> float:
        """1 for a channel that never fails, towards 0 for one that always does."""
        return 1.0 - self._failures[channel]

    def is_open(self, channel: str) -> bool:
        """True while the channel rests, and while one call finds out whether it is well again."""
        until = max(self._open_until.get(channel, 0.0), self._probed_until.get(channel, 0.0))
        return until > self._now()

    def begin(self, channel: str) -> bool:
        """A call is about to ask this channel first. True when it is the one that finds out whether the channel is well
        again after its rest; it then has to `leave`, however it ends. One that takes long is joined by another."""
        if channel not in self._open_until or self.is_open(channel):
            return False
        self._probed_until[channel] = self._now() + OPEN_S
        return True

    def leave(self, channel: str) -> None:
        """The call that was to find out is over. If it never came to ask, the next one will."""
        self._probed_until.pop(channel, None)

    def is_absent(self, channel: str, model: str) -> bool:
        return self._absent.get((channel, model), 0.0) > self._now()

    def is_resting(self, channel: str, credential: int, model: str) -> bool:
        """True while the credential is parked, or cools down for this model: vendors count by model."""
        return self.rest_s(channel, credential, model) > 0

    def rest_s(self, channel: str, credential: int, model: str) -> float:
        """Seconds until the credential may be used again for this model."""
        parked = self._parked.get((channel, credential), 0.0)
        cooling = self._cooling.get((channel, credential, model), 0.0)
        return max(parked - self._now(), cooling - self._now(), 0.0)

    def served(self, channel: str) -> None:
        """The vendor answered as it should."""
        self._failures[channel] *= 1 - SMOOTHING
        self._in_a_row[channel] = 0
        self._open_until.pop(channel, None)
        self._probed_until.pop(channel, None)

    def failed(self, channel: str, credential: int, model: str, error: UpstreamError) -> None:
        """The vendor did not; `error` says in which way, and so what has to rest."""
        match error:
            case Busy():
                self._cooling[channel, credential, model] = self._now() + (error.retry_after_s or COOL_S)
            case Denied():
                self._parked[channel, credential] = self._now() + PARK_S
            case Absent():
                self._absent[channel, model] = self._now() + ABSENT_S
            case Broken() | Late():
                self._failures[channel] += SMOOTHING * (1 - self._failures[channel])
                self._in_a_row[channel] += 1
                if self._in_a_row[channel] >= OPEN_AFTER:
                    self._open_until[channel] = self._now() + OPEN_S
                    self._probed_until.pop(channel, None)
            case _:  # refused: the caller's request, not the channel
                self.served(channel)

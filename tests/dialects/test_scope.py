"""What passes from the hub into a format."""

import msgspec

from yibu.dialects._scope import Scope
from yibu.hub.loss import Loss

EXTRAS = {
    "phase": msgspec.Raw(b'"commentary"'),
    "id": msgspec.Raw(b'"msg_1"'),
    "status": msgspec.Raw(b'"completed"'),
    "annotations": msgspec.Raw(b"[]"),
    "strict": msgspec.Raw(b"false"),
}


def test_own_extras_pass() -> None:
    """What a format left over itself goes back into it, whatever it is."""
    losses: list[Loss] = []

    assert Scope("one", "one", losses).extras("$", EXTRAS) == EXTRAS
    assert losses == []


def test_foreign_extras_are_losses() -> None:
    """Members of another format are told as lost; ids, states and empty values are not, because nothing is lost with them."""
    losses: list[Loss] = []

    assert Scope("two", "one", losses).extras("$.turns[0]", EXTRAS) == {}
    assert [loss.where for loss in losses] == ["$.turns[0].phase"]

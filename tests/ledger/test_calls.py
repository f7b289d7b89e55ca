import msgspec
import pytest
from sqlalchemy import select

from yibu.hub.errors import OutOfCredit
from yibu.kit.db import Database
from yibu.ledger import CallRow, HoldClosed, Ledger, Nanos
from yibu.ledger.tables import call

ROW = CallRow(
    request_id="call_1",
    started_at=1_790_000_000_000,
    wallet=7,
    key_id="key_1",
    model="fast",
    upstream_model="gpt-4o-mini",
    channel="openai-main",
    dialect="openai_chat",
    operation="chat",
    is_stream=True,
    status=200,
    units='{"input":12}',
    is_estimated=True,
    cost=Nanos(5),
    first_byte_ms=300,
    total_ms=800,
    losses='[{"kind":"dropped"}]',
    task_id="task_1",
)


async def rows(db: Database) -> list[CallRow]:
    return await db.read(lambda conn: [CallRow(**row) for row in conn.execute(select(call)).mappings()])


async def test_a_call_is_logged_with_its_settlement(db: Database, ledger: Ledger) -> None:
    """Every member comes back as it was given."""
    await ledger.settle(await ledger.hold(7, Nanos(0), key="call_1"), Nanos(5), log=ROW)

    assert await rows(db) == [ROW]


async def test_a_call_is_logged_with_its_release(db: Database, ledger: Ledger) -> None:
    """Failed calls have a row too."""
    row = msgspec.structs.replace(ROW, status=502, error_code="upstream_broken", first_byte_ms=None)
    await ledger.release(await ledger.hold(7, Nanos(0), key="call_1"), log=row)

    assert await rows(db) == [row]


async def test_a_call_without_money(db: Database, ledger: Ledger) -> None:
    """A call that was refused before its hold is logged once, the first way."""
    await ledger.record(ROW)
    await ledger.record(msgspec.structs.replace(ROW, status=500))

    assert await rows(db) == [ROW]


async def test_a_refused_closing_logs_nothing(db: Database, ledger: Ledger) -> None:
    """The row belongs to the operation."""
    hold = await ledger.hold(7, Nanos(0), key="call_1")
    await ledger.release(hold)

    with pytest.raises(HoldClosed):
        await ledger.settle(hold, Nanos(5), log=ROW)
    assert await rows(db) == []


async def test_a_refused_hold_may_be_recorded(db: Database, ledger: Ledger) -> None:
    """What the gateway does when the money does not suffice."""
    with pytest.raises(OutOfCredit):
        await ledger.hold(7, Nanos(5), key="call_1")
    await ledger.record(msgspec.structs.replace(ROW, status=402, cost=Nanos(0)))

    assert [row.status for row in await rows(db)] == [402]

import pytest

from yibu.hub.errors import OutOfCredit
from yibu.kit.db import Database, DatabaseAway
from yibu.ledger import Balance, Hold, HoldClosed, KeyTaken, Ledger, Nanos, NoSuchHold, NotSettled
from yibu.ledger.book import load_transfer
from yibu.ledger.operation import LIMIT

ONE = Nanos(1_000_000_000)


def balance(available: int, held: int = 0, spent: int = 0) -> Balance:
    return Balance(Nanos(available), Nanos(held), Nanos(spent))


async def test_an_unknown_wallet_is_empty(ledger: Ledger) -> None:
    """A wallet that never moved money has zeros."""
    assert await ledger.balance(7) == balance(0)


async def test_credit_adds(ledger: Ledger) -> None:
    """A credit can be spent at once."""
    await ledger.credit(7, ONE, key="evt_1", rail="stripe", reason="top-up")

    assert await ledger.balance(7) == balance(ONE)


async def test_credit_twice(ledger: Ledger) -> None:
    """The same payment, reported twice, is booked once."""
    first = await ledger.credit(7, ONE, key="evt_1", rail="stripe")
    second = await ledger.credit(7, ONE, key="evt_1", rail="stripe")

    assert first == second
    assert await ledger.balance(7) == balance(ONE)


async def test_keys_of_rails_do_not_meet(ledger: Ledger) -> None:
    """Two rails may number their payments alike."""
    await ledger.credit(7, ONE, key="1", rail="stripe")
    await ledger.credit(7, ONE, key="1", rail="codes")

    assert await ledger.balance(7) == balance(2 * ONE)


async def test_a_code_cannot_be_redeemed_by_two(ledger: Ledger) -> None:
    """A key that credited one wallet is refused for another."""
    await ledger.credit(7, ONE, key="code", rail="codes")

    with pytest.raises(KeyTaken):
        await ledger.credit(8, ONE, key="code", rail="codes")
    assert await ledger.balance(8) == balance(0)


async def test_hold_and_settle(ledger: Ledger) -> None:
    """What a call cost is spent, the rest of its hold comes back."""
    await ledger.credit(7, Nanos(10_000), key="a")

    hold = await ledger.hold(7, Nanos(8_000), key="call_1")
    assert await ledger.balance(7) == balance(2_000, held=8_000)
    await ledger.settle(hold, Nanos(5_230))

    assert await ledger.balance(7) == balance(4_770, spent=5_230)


async def test_hold_and_release(ledger: Ledger) -> None:
    """A released hold leaves no trace in the balance."""
    await ledger.credit(7, Nanos(10_000), key="a")
    hold = await ledger.hold(7, Nanos(8_000), key="call_1")

    await ledger.release(hold)

    assert await ledger.balance(7) == balance(10_000)


async def test_out_of_credit(ledger: Ledger, db: Database) -> None:
    """A hold above the balance is refused in units of currency, and nothing is written."""
    await ledger.credit(7, Nanos(5_000), key="a")

    with pytest.raises(OutOfCredit, match=r"The balance is 0\.000005 and this call may cost up to 0\.000008\."):
        await ledger.hold(7, Nanos(8_000), key="call_1")
    assert await ledger.balance(7) == balance(5_000)
    assert await db.read(lambda conn: load_transfer(conn, "call_1:hold")) is None


async def test_a_refused_hold_may_be_tried_again(ledger: Ledger) -> None:
    """A refusal does not use the key up."""
    with pytest.raises(OutOfCredit):
        await ledger.hold(7, Nanos(8_000), key="call_1")
    await ledger.credit(7, Nanos(8_000), key="a")

    assert await ledger.hold(7, Nanos(8_000), key="call_1") == Hold(7, "call_1", Nanos(8_000))


async def test_settle_above_the_hold(ledger: Ledger) -> None:
    """The rest comes from what is available, which may go below zero; the next hold is refused."""
    await ledger.credit(7, Nanos(10_000), key="a")
    hold = await ledger.hold(7, Nanos(8_000), key="call_1")

    await ledger.settle(hold, Nanos(11_000))

    assert await ledger.balance(7) == balance(-1_000, spent=11_000)
    with pytest.raises(OutOfCredit, match=r"The balance is -0\.000001 "):
        await ledger.hold(7, Nanos(0), key="call_2")


async def test_granted_never_changes_by_spending(ledger: Ledger) -> None:
    """Available, held and spent together are what came in."""
    await ledger.credit(7, Nanos(10_000), key="a")
    hold = await ledger.hold(7, Nanos(8_000), key="call_1")
    await ledger.settle(hold, Nanos(11_000))
    await ledger.refund(hold)

    assert (await ledger.balance(7)).granted == 10_000


async def test_free_call(ledger: Ledger) -> None:
    """A call that costs nothing needs no money."""
    hold = await ledger.hold(7, Nanos(0), key="call_1")
    await ledger.settle(hold, Nanos(0))

    assert await ledger.balance(7) == balance(0)


async def test_hold_twice(ledger: Ledger) -> None:
    """The same key gives the first hold, also when another amount is asked for."""
    await ledger.credit(7, Nanos(10_000), key="a")

    first = await ledger.hold(7, Nanos(8_000), key="call_1")
    second = await ledger.hold(7, Nanos(9_999), key="call_1")

    assert second == first
    assert await ledger.balance(7) == balance(2_000, held=8_000)


async def test_hold_of_another_wallet(ledger: Ledger) -> None:
    """A key that holds one wallet's money is refused for another."""
    await ledger.hold(7, Nanos(0), key="call_1")

    with pytest.raises(KeyTaken):
        await ledger.hold(8, Nanos(0), key="call_1")


async def test_settle_twice(ledger: Ledger) -> None:
    """Settling again gives the first transfer and charges nothing more."""
    await ledger.credit(7, Nanos(10_000), key="a")
    hold = await ledger.hold(7, Nanos(8_000), key="call_1")

    first = await ledger.settle(hold, Nanos(5_000))
    second = await ledger.settle(hold, Nanos(6_000))

    assert second == first
    assert await ledger.balance(7) == balance(5_000, spent=5_000)


async def test_release_after_settle(ledger: Ledger) -> None:
    """A settled hold cannot be released; the refusal names what closed it."""
    await ledger.credit(7, Nanos(10_000), key="a")
    hold = await ledger.hold(7, Nanos(8_000), key="call_1")
    settled = await ledger.settle(hold, Nanos(5_000))

    with pytest.raises(HoldClosed) as refused:
        await ledger.release(hold)
    assert refused.value.transfer == settled
    assert await ledger.balance(7) == balance(5_000, spent=5_000)


async def test_settle_after_release(ledger: Ledger) -> None:
    """A released hold cannot be settled; releasing it again gives the first release."""
    await ledger.credit(7, Nanos(10_000), key="a")
    hold = await ledger.hold(7, Nanos(8_000), key="call_1")
    released = await ledger.release(hold)

    with pytest.raises(HoldClosed):
        await ledger.settle(hold, Nanos(5_000))
    assert await ledger.release(hold) == released
    assert await ledger.balance(7) == balance(10_000)


async def test_a_hold_from_stored_values(ledger: Ledger) -> None:
    """A hold made again from wallet and key is closed by the amount in the book, whatever it says itself."""
    await ledger.credit(7, Nanos(10_000), key="a")
    await ledger.hold(7, Nanos(8_000), key="task_1", kind="task")

    await ledger.settle(Hold(7, "task_1", Nanos(1)), Nanos(5_000))

    assert await ledger.balance(7) == balance(5_000, spent=5_000)


@pytest.mark.parametrize("hold", [Hold(7, "nobody", Nanos(5)), Hold(8, "call_1", Nanos(5))])
async def test_no_such_hold(ledger: Ledger, hold: Hold) -> None:
    """A hold that does not exist, or is another wallet's, cannot be closed."""
    await ledger.hold(7, Nanos(0), key="call_1")

    with pytest.raises(NoSuchHold):
        await ledger.settle(hold, Nanos(5))
    with pytest.raises(NoSuchHold):
        await ledger.release(hold)


async def test_refund(ledger: Ledger) -> None:
    """A refund takes back what was spent, once."""
    await ledger.credit(7, Nanos(10_000), key="a")
    hold = await ledger.hold(7, Nanos(8_000), key="call_1")
    await ledger.settle(hold, Nanos(5_000))

    first = await ledger.refund(hold, reason="late failure")
    second = await ledger.refund(hold)

    assert second == first
    assert first.amount == 5_000
    assert await ledger.balance(7) == balance(10_000)


async def test_refund_in_part(ledger: Ledger) -> None:
    """Less than what was settled may be given back, more may not."""
    await ledger.credit(7, Nanos(10_000), key="a")
    hold = await ledger.hold(7, Nanos(8_000), key="call_1")
    await ledger.settle(hold, Nanos(5_000))

    with pytest.raises(NotSettled):
        await ledger.refund(hold, Nanos(5_001))
    await ledger.refund(hold, Nanos(2_000))

    assert await ledger.balance(7) == balance(7_000, spent=3_000)


async def test_refund_of_an_open_or_released_hold(ledger: Ledger) -> None:
    """Only what was settled can be refunded."""
    await ledger.credit(7, Nanos(10_000), key="a")
    hold = await ledger.hold(7, Nanos(8_000), key="call_1")

    with pytest.raises(NotSettled):
        await ledger.refund(hold)
    await ledger.release(hold)
    with pytest.raises(NotSettled):
        await ledger.refund(hold)


async def test_adjust(ledger: Ledger) -> None:
    """A correction by hand goes up or down, below zero too."""
    await ledger.adjust(7, Nanos(10), key="up", reason="test")
    await ledger.adjust(7, Nanos(-15), key="down", reason="test")

    assert await ledger.balance(7) == balance(-5)


@pytest.mark.parametrize("amount", [-1, LIMIT + 1])
async def test_absurd_amounts(ledger: Ledger, amount: int) -> None:
    """Negative and gigantic amounts are mistakes of the caller's code and write nothing."""
    hold = await ledger.hold(7, Nanos(0), key="call_1")

    with pytest.raises(ValueError, match="An amount is between"):
        await ledger.settle(hold, Nanos(amount))
    with pytest.raises(ValueError, match="An amount is between"):
        await ledger.credit(7, Nanos(amount), key="a")
    with pytest.raises(ValueError, match="An amount is between"):
        await ledger.hold(7, Nanos(amount), key="call_2")
    assert await ledger.balance(7) == balance(0)


async def test_amounts_above_32_bits(ledger: Ledger) -> None:
    """The largest single amount is booked exactly, nine times; the tenth would not fit into 64 bits."""
    for number in range(9):
        await ledger.credit(7, Nanos(LIMIT), key=str(number))

    with pytest.raises(ValueError, match="64 bits"):
        await ledger.credit(7, Nanos(LIMIT), key="9")
    assert await ledger.balance(7) == balance(9 * LIMIT)


async def test_a_stopped_ledger_takes_nothing(ledger: Ledger) -> None:
    """After `stop` operations fail at once instead of waiting for ever."""
    await ledger.stop()

    with pytest.raises(DatabaseAway):
        await ledger.credit(7, ONE, key="a")

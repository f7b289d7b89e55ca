"""`yibu credit` and `yibu ledger check`: put money into the wallet, prove the books."""

from typing import Annotated

import typer

from yibu.cli.house import Config, DataDir, Json, fail, say, settings_of, with_database
from yibu.identity import people
from yibu.kit.db import Database
from yibu.kit.ids import new_id
from yibu.kit.money import Nanos, from_units, in_units
from yibu.ledger import Balance, Ledger, check
from yibu.ledger.operation import LIMIT
from yibu.ledger.stale import leased

ledger_app = typer.Typer(no_args_is_help=True, help="The book. 账本")


def register(app: typer.Typer) -> None:
    app.command("credit")(credit)


def credit(
    amount: Annotated[
        str | None, typer.Argument(help="Units of currency, such as 10 or 0.5. 金额；留空只看余额")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why, for the book. 备注")] = "",
    config: Config = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Add credit to the wallet, or show its balance. 充值，或查看余额。"""
    try:
        nanos = from_units(amount) if amount is not None else Nanos(0)
    except ValueError as exc:
        fail(str(exc), 2)
    if amount is not None and nanos <= 0:
        fail("The amount must be more than nothing.", 2)
    if nanos > LIMIT:
        fail(f"The amount must not be more than {in_units(LIMIT)}.", 2)
    balance = with_database(settings_of(config, data_dir), lambda db: _credit(db, nanos, reason))
    facts = {name: in_units(getattr(balance, name)) for name in ("available", "held", "spent", "granted")}
    human = f"available {facts['available']} · held {facts['held']} · spent {facts['spent']}"
    say(facts, as_json=json, human=human)


async def _credit(db: Database, nanos: Nanos, reason: str) -> Balance:
    owner = await db.write(people.ensure_owner)
    ledger = Ledger(db)
    await ledger.start()
    try:
        if nanos:
            await ledger.credit(owner.wallet_id, nanos, key=new_id("cli"), rail="gift", reason=reason or "by hand")
        booked = await ledger.balance(owner.wallet_id)
        # Of a gateway that serves meanwhile.
        return booked.with_free(await db.read(lambda conn: leased(conn, owner.wallet_id)))
    finally:
        await ledger.stop()


@ledger_app.command("check")
def ledger_check(config: Config = None, data_dir: DataDir = None, json: Json = False) -> None:
    """Recompute every balance; exit 1 and say where, if one is off. 核对账本。"""
    problems = with_database(settings_of(config, data_dir), lambda db: db.read(check))
    human = "\n".join(problems) or "The book is right: every balance is the sum of its entries. 账本正确。"
    say({"ok": not problems, "problems": problems}, as_json=json, human=human)
    if problems:
        raise typer.Exit(1)

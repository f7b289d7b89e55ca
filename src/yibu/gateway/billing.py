"""What a key's wallet was granted and what it has spent. Reading a balance never changes it."""

from yibu.dialects.openai_billing import DIALECT
from yibu.gateway.admit import identify
from yibu.gateway.house import House
from yibu.gateway.request import Request
from yibu.relay.headers import JSON
from yibu.relay.reply import Reply


async def subscription(request: Request, reply: Reply, house: House) -> None:
    caller = await identify(request, house)
    await house.closings.settled(caller.wallet)
    balance = await house.ledger.balance(caller.wallet)
    until = (caller.expires_at or 0) // 1000
    await reply.whole(200, [JSON], DIALECT.encode_subscription(balance.granted, until))


async def spending(request: Request, reply: Reply, house: House) -> None:
    caller = await identify(request, house)
    await house.closings.settled(caller.wallet)
    balance = await house.ledger.balance(caller.wallet)
    await reply.whole(200, [JSON], DIALECT.encode_spending(balance.spent))

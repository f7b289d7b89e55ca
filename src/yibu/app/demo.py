"""A house that is ready to try: a key, some credit, a picture, and a command that can be pasted."""

import asyncio
import io
import math
from pathlib import Path

from yibu.app.build import App
from yibu.identity import keys, people
from yibu.identity.people import Person
from yibu.kit.money import Nanos, in_units

CREDIT = Nanos(20_000_000_000)
KEY_FILE = "demo-key"
PICTURE_FILE = "demo-picture"

INVITATION = """
  一步API · Yibu is running                              Ctrl-C 停止 / stops it

  地址 base URL   {url}/v1
  密钥 key        {key}
  余额 credit     {credit}

  试一试：让图片动起来（几秒钟）
  Try it: bring a picture to life (takes a few seconds)

curl -N {url}/v1/chat/completions \\
  -H "Authorization: Bearer {key}" \\
  -H "Content-Type: application/json" \\
  -d '{{"model":"sora-2","max_tokens":1000,"stream":true,"messages":[{{"role":"user","content":[
        {{"type":"text","text":"里面有一只小鸟在飞行"}},
        {{"type":"image_url","image_url":{{"url":"{picture}"}}}}]}}]}}'

  对话 / chat:

curl -N {url}/v1/chat/completions \\
  -H "Authorization: Bearer {key}" -H "Content-Type: application/json" \\
  -d '{{"model":"smollm2-135m","stream":true,"messages":[{{"role":"user","content":"Tell me a short story about a bird."}}]}}'
"""


async def invitation(app: App, url: str) -> str:
    """Makes what is missing and says what to type. The same key and picture at every start."""
    owner = await app.house.db.write(people.ensure_owner)
    await app.house.ledger.credit(owner.wallet_id, CREDIT, key="demo", rail="gift", reason="demo credit")
    balance = await app.house.ledger.balance(owner.wallet_id)
    data_dir = app.house.settings.data_dir
    key = await _key(app, owner, data_dir / KEY_FILE)
    picture = await _picture(app, owner, data_dir / PICTURE_FILE)
    base = app.house.settings.server.public_url or url
    return INVITATION.format(
        url=base, key=key, credit=in_units(balance.available), picture=f"{base}/v1/files/{picture}"
    )


async def _key(app: App, owner: Person, kept: Path) -> str:
    """The key of the last start if it still works. This one secret is kept in the clear, readable by its owner alone."""
    if kept.is_file():
        secret = kept.read_text().strip()
        found = await app.house.db.read(lambda conn: keys.find_by_hash(conn, keys.hash_of(secret)))
        if found and found.key.revoked_at is None:
            return secret
    _, secret = await app.house.db.write(lambda conn: keys.create(conn, user_id=owner.id, name="demo"))
    kept.touch(mode=0o600)
    kept.write_text(secret + "\n")
    return secret


async def _picture(app: App, owner: Person, kept: Path) -> str:
    files = app.house.wires.files
    if kept.is_file() and (found := await files.find(kept.read_text().strip())):
        return found.name
    data = await asyncio.to_thread(draw)
    file = await files.publish(
        await files.store(data, wallet=owner.wallet_id, kind="picture", mime="image/png", forever=True)
    )
    kept.write_text(file.id + "\n")
    return file.name


def draw(width: int = 720, height: int = 1280) -> bytes:
    """A lake at sunset, as PNG; links expire, so the demo brings its own picture."""
    from PIL import Image, ImageDraw, ImageFilter  # not before it is needed: see kit/images.py

    image = Image.new("RGB", (width, height))
    pen = ImageDraw.Draw(image)
    horizon = int(height * 0.62)
    for y in range(height):
        t = y / horizon if y < horizon else 1 - (y - horizon) / (height - horizon) * 0.8
        pen.line([(0, y), (width, y)], fill=(int(60 + 190 * t), int(90 + 85 * t), int(160 - 50 * t)))
    sun = (width * 0.66, horizon - height * 0.09, width * 0.09)
    pen.ellipse([sun[0] - sun[2], sun[1] - sun[2], sun[0] + sun[2], sun[1] + sun[2]], fill=(255, 236, 180))
    for depth, shade in ((0.16, (112, 96, 130)), (0.09, (72, 66, 104))):
        ridge = [
            (x, horizon - height * depth * (0.55 + 0.45 * math.sin(x / width * 9 * depth * 20 + depth * 40)))
            for x in range(0, width + 8, 8)
        ]
        pen.polygon([(0, horizon), *ridge, (width, horizon)], fill=shade)
    for ripple in range(14):
        depth_y = horizon + 18 + ripple * ripple * 1.9
        half = width * 0.05 + ripple * 5
        pen.line([(sun[0] - half, depth_y), (sun[0] + half, depth_y)], fill=(255, 214, 160), width=3)
    written = io.BytesIO()
    image.filter(ImageFilter.GaussianBlur(1.2)).save(written, "PNG", optimize=True)
    return written.getvalue()

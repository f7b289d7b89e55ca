"""`yibu keys`: hand out and take back API keys."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from sqlalchemy import Connection

from yibu.cli.house import Config, DataDir, Json, fail, say, settings_of, with_database
from yibu.identity import keys, people
from yibu.identity.keys import KeyRow

NEVER = "never used 未用过   "
"""As wide as a moment."""

app = typer.Typer(no_args_is_help=True, help="API keys: create, list, revoke. 密钥管理")


@app.command()
def create(
    name: Annotated[str, typer.Option(help="What the key is for. 用途")] = "default",
    models: Annotated[list[str] | None, typer.Option("--model", help="Allow only these models. 仅限模型")] = None,
    rpm: Annotated[int | None, typer.Option(min=1, help="Requests a minute. 每分钟请求数")] = None,
    concurrency: Annotated[int | None, typer.Option(min=1, help="Requests at a time. 并发数")] = None,
    refuse_loss: Annotated[bool, typer.Option("--refuse-loss", help="Refuse lossy translations. 拒绝有损转换")] = False,
    config: Config = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Make a key. It is shown once. 新建密钥，只显示一次。"""

    def make(conn: Connection) -> tuple[KeyRow, str]:
        owner = people.ensure_owner(conn)
        allowed = tuple(models) if models else None
        return keys.create(
            conn,
            user_id=owner.id,
            name=name,
            models=allowed,
            rpm=rpm,
            concurrency=concurrency,
            refuses_loss=refuse_loss,
        )

    row, secret = with_database(settings_of(config, data_dir), lambda db: db.write(make))
    say(
        {"id": row.id, "name": row.name, "key": secret},
        as_json=json,
        human=f"{secret}\n(id {row.id}; shown once 仅显示一次)",
    )


@app.command("list")
def list_(config: Config = None, data_dir: DataDir = None, json: Json = False) -> None:
    """Show all keys and when they were last used, without their secrets. 列出密钥。"""
    rows = with_database(settings_of(config, data_dir), lambda db: db.read(keys.list_keys))
    facts = [
        {
            "id": row.id,
            "name": row.name,
            "hint": row.hint,
            "models": row.models,
            "revoked": row.revoked_at is not None,
            "last_used_at": _moment(row.last_used_at),
        }
        for row in rows
    ]
    lines = [
        f"{f['id']}  …{f['hint']}  {'revoked' if f['revoked'] else 'active '}  {f['last_used_at'] or NEVER}  {f['name']}"
        for f in facts
    ]
    say({"keys": facts}, as_json=json, human="\n".join(lines) or "There are no keys yet: yibu keys create")


@app.command()
def revoke(key_id: str, config: Config = None, data_dir: DataDir = None, json: Json = False) -> None:
    """End a key; it works for at most two more seconds. 吊销密钥。"""
    ended = with_database(settings_of(config, data_dir), lambda db: db.write(lambda conn: keys.revoke(conn, key_id)))
    if not ended:
        fail(f"There is no active key {key_id}. `yibu keys list` shows them.")
    say({"id": key_id, "revoked": True}, as_json=json, human=f"{key_id} is revoked.")


def _moment(at_ms: int | None) -> str | None:
    """Unix milliseconds as people and programs read them, in UTC."""
    return None if at_ms is None else datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

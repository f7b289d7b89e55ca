"""Commands for the operator. Everything a browser will do can be done here, with `--json` for scripts."""

import yibu.kit.slim  # noqa: F401, I001 (first of all)

import typer

from yibu.cli import check, keys, money, serve

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Yibu 一步API: one base URL and one key for every model of every vendor. 一个地址，一把密钥，调用所有模型。",
)
serve.register(app)
check.register(app)
money.register(app)
app.add_typer(keys.app, name="keys")
app.add_typer(money.ledger_app, name="ledger")


def main() -> None:
    app()

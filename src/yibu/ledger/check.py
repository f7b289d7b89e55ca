"""The proof: recomputes what the book says about itself."""

from sqlalchemy import Connection


def check(conn: Connection) -> list[str]:
    """Gives a sentence for each thing that is wrong, saying where and by how much; an empty list when all is well.

    Reads every transfer and entry once: seconds for a few million. Run it in `Database.read`.
    """
    raise NotImplementedError

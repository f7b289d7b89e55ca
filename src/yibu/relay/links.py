"""Addresses of ours that go into answers. Who has such a link may follow it: it carries its own proof."""

from yibu.kit.links import Signer
from yibu.tasks.files import File


def of_file(public_url: str, file: File) -> str:
    """The file's id is 160 random bits; clients look for the ending."""
    return f"{public_url}/v1/files/{file.name}"


def of_preview(public_url: str, task_id: str, signer: Signer) -> str:
    """A page for people."""
    return f"{public_url}/web/{task_id}.{signer.sign(task_id)}"


def of_source(public_url: str, task_id: str, signer: Signer) -> str:
    """The same as JSON, for clients whose stream broke."""
    return f"{public_url}/source/{task_id}.{signer.sign(task_id)}"


def read_task(name: str, signer: Signer) -> str | None:
    """The task id of `task_….signature`; None when the signature is not ours."""
    task_id, _, signature = name.partition(".")
    return task_id if signer.verify(task_id, signature) else None

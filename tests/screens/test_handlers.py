"""The toolkit finds a handler by its name alone: one that no message is called by is never called."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from typing import TypeVar

from textual import events
from textual.message import Message
from textual.message_pump import MessagePump

import smtp_wizard

T = TypeVar("T")


def below(kind: type[T]) -> Iterator[type[T]]:
    for each in kind.__subclasses__():
        yield each
        yield from below(each)


def test_every_handler_is_called_by_a_message() -> None:
    assert events.Mount.handler_name == "on_mount"
    for found in pkgutil.walk_packages(smtp_wizard.__path__, "smtp_wizard."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)
    known = {kind.handler_name for kind in below(Message)}
    ours = [kind for kind in below(MessagePump) if kind.__module__.startswith("smtp_wizard.")]
    handlers = {
        f"{kind.__module__}.{kind.__name__}.{name}": name.lstrip("_")
        for kind in ours
        for name, value in vars(kind).items()
        if name.lstrip("_").startswith("on_") and inspect.isfunction(value)
    }
    assert len(handlers) > 20
    assert [place for place, name in handlers.items() if name not in known] == []

"""Frozen dataclasses whose methods are written when the first of them is called.

`dataclasses.dataclass` writes six methods as text and compiles each of them, half a millisecond a class: with forty
classes that was a fifth of the time of a short command, which makes objects of few of them. What is made here ends as
the same class, and the standard library writes its methods, only later.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from threading import RLock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # what it is to a type checker
else:

    def dataclass(*, frozen: bool, slots: bool, **options: bool) -> Callable[[type], type]:
        """Return a decorator as `dataclasses.dataclass` does, with its options.

        Raises `TypeError` unless the class is to be frozen and have slots. What is wrong with its fields is found when
        they are first used.
        """
        if not frozen or not slots:
            raise TypeError("only frozen dataclasses with slots can be finished later")
        return lambda written: _Unfinished(written, options).kind


_METHODS = ("__init__", "__repr__", "__eq__", "__hash__", "__setattr__", "__delattr__")
_NO_FIELDS = ("ClassVar", "typing.ClassVar", "InitVar", "dataclasses.InitVar")
_OF_EVERY_CLASS = frozenset({"__dict__", "__weakref__"})
_lock = RLock()
"""Held while a class is finished, which finishes those that it is made from."""


class _Unfinished:
    """A class as it was written, and the one with slots in its place, whose methods are still to come."""

    def __init__(self, written: type, options: Mapping[str, bool]) -> None:
        self._written: type | None = written
        self._options = options
        annotations = inspect.get_annotations(written)
        self._fields = tuple(name for name, kind in annotations.items() if not str(kind).startswith(_NO_FIELDS))
        self._said = {
            name: value
            for name, value in vars(written).items()
            if name not in _OF_EVERY_CLASS and name not in self._fields
        }
        self._stand_ins = {name: self._stand_in(name) for name in _METHODS if name not in self._said}
        self.kind: type = type(written)(
            written.__name__,
            written.__bases__,
            {
                **{"__getstate__": _state, "__setstate__": _set_state},
                **self._said,
                **self._stand_ins,
                "__slots__": tuple(name for name in self._fields if not _has_slot(written, name)),
                "__dataclass_fields__": _Fields(self),
            },
        )
        self.kind.__qualname__ = written.__qualname__

    def _stand_in(self, name: str) -> Callable[..., Any]:
        """Return a method that finishes the class and calls what then stands there."""

        def method(this: object, *arguments: Any, **named: Any) -> Any:
            self.finish()
            return getattr(self.kind, name)(this, *arguments, **named)

        return method

    def finish(self) -> None:
        """Have the standard library write the methods, unless that was done. Each replaces what stood in for it."""
        with _lock:
            if self._written is None:
                return
            made = vars(dataclasses.dataclass(frozen=True, **self._options)(self._written))
            for name, value in made.items():
                new = name not in self._said or self._said[name] is not value
                if new and name not in _OF_EVERY_CLASS and name not in self._fields:
                    setattr(self.kind, name, value)
            for name in self._stand_ins.keys() - made.keys():
                delattr(self.kind, name)
            if hasattr(made["__dataclass_params__"], "slots"):  # from Python 3.12 on
                made["__dataclass_params__"].slots = True
            self._written = None


class _Fields:
    """Stands where a dataclass has its fields, until somebody asks the class for them."""

    def __init__(self, unfinished: _Unfinished) -> None:
        self._unfinished = unfinished

    def __get__(self, _: object, kind: type) -> Any:
        self._unfinished.finish()
        return kind.__dataclass_fields__  # type: ignore[attr-defined]


def _has_slot(kind: type, name: str) -> bool:
    return any(name in base.__dict__.get("__slots__", ()) for base in kind.__mro__)


def _state(self: Any) -> list[Any]:
    """What a copy is made of, as the standard library has it for frozen classes with slots."""
    return [getattr(self, each.name) for each in dataclasses.fields(self)]


def _set_state(self: Any, state: list[Any]) -> None:
    for each, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, each.name, value)

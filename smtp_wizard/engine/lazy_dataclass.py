"""Frozen dataclasses whose methods are written when the first of them is called.

`dataclasses.dataclass` writes six methods as text and compiles each of them, half a millisecond a class: with forty
classes that was a fifth of the time of a short command, which makes objects of few of them. What is made here ends as
the same class. The standard library reads its fields, only later; of the methods `__init__` alone is compiled, the
others are closures over the names of the fields.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from threading import RLock, get_ident
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
            made = _finished(self._written, self._options)
            for name, value in made.items():
                new = name not in self._said or self._said[name] is not value
                if new and name not in _OF_EVERY_CLASS and name not in self._fields:
                    setattr(self.kind, name, value)
            for name in self._stand_ins.keys() - made.keys():
                delattr(self.kind, name)
            self._written = None


def _finished(written: type, options: Mapping[str, bool]) -> Mapping[str, Any]:
    """Return what stands in a class once its methods are written."""
    if _is_plain(written, options):
        shown = options.get("repr", True)
        kind: Any = dataclasses.dataclass(init=False, eq=False, **{**options, "repr": False})(written)
        told = kind.__dataclass_params__
        told.init = told.eq = told.frozen = True
        told.repr = shown
        made = {**vars(kind), **_methods(kind, shown)}
    else:
        made = dict(vars(dataclasses.dataclass(frozen=True, **options)(written)))
        told = made["__dataclass_params__"]
    if hasattr(told, "slots"):  # from Python 3.12 on
        told.slots = True
    return made


def _is_plain(kind: type, options: Mapping[str, bool]) -> bool:
    """Whether the methods of a class are written here; the standard library writes those of the others.

    It reads the fields of a class that is made from a frozen one only where that is to be frozen too, and makes what a
    class without a docstring says of itself from `__init__`.
    """
    derived = any(hasattr(base, "__dataclass_fields__") for base in kind.__mro__[1:])
    own = not vars(kind).keys().isdisjoint(_METHODS)
    unset = any(isinstance(value, dataclasses.Field) and not value.init for value in vars(kind).values())
    return bool(kind.__doc__) and not (derived or own or unset) and options.keys() <= {"kw_only", "repr"}


def _methods(kind: type, shown: bool) -> dict[str, Any]:
    """Return the methods of a class whose fields are known; `shown`: `__repr__` is one of them."""
    fields = dataclasses.fields(kind)
    names = frozenset(each.name for each in fields)
    values = _values(each.name for each in fields if each.compare)
    hashed = _values(each.name for each in fields if (each.compare if each.hash is None else each.hash))

    def __eq__(self: Any, other: object) -> Any:
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    def __hash__(self: Any) -> int:
        return hash(hashed(self))

    def __setattr__(self: Any, name: str, value: object) -> None:
        if name in names:
            raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")
        object.__setattr__(self, name, value)

    def __delattr__(self: Any, name: str) -> None:
        if name in names:
            raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
        object.__delattr__(self, name)

    written: list[Callable[..., Any]] = [_init(kind, fields), __eq__, __hash__, __setattr__, __delattr__]
    if shown:
        written.append(_repr([each.name for each in fields if each.repr]))
    for method in written:
        method.__module__, method.__qualname__ = kind.__module__, f"{kind.__qualname__}.{method.__name__}"
    return {method.__name__: method for method in written}


def _values(names: Iterable[str]) -> Callable[[Any], tuple[Any, ...]]:
    """Return what gives the values of these fields."""
    wanted = tuple(names)
    if len(wanted) > 1:
        return attrgetter(*wanted)
    return lambda this: tuple(getattr(this, name) for name in wanted)


def _repr(names: Sequence[str]) -> Callable[[Any], str]:
    """Return `__repr__`, which says dots of one that contains itself."""
    running: set[tuple[int, int]] = set()

    def __repr__(self: Any) -> str:
        this = id(self), get_ident()
        if this in running:
            return "..."
        running.add(this)
        try:
            words = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        finally:
            running.discard(this)
        return f"{self.__class__.__qualname__}({words})"

    return __repr__


def _init(kind: type, fields: Sequence[dataclasses.Field[Any]]) -> Callable[..., None]:
    """Compile `__init__`. Only the names of the fields are compiled; their values are handed in."""
    first = [_parameter(each) for each in fields if not each.kw_only]
    last = [_parameter(each) for each in fields if each.kw_only]
    lines = [*map(_setting, fields), "self.__post_init__()" if hasattr(kind, "__post_init__") else "pass"]
    needed = {"_set": object.__setattr__, "_absent": dataclasses.MISSING}
    needed |= {f"_default_{each.name}": each.default for each in fields}
    needed |= {f"_make_{each.name}": each.default_factory for each in fields}
    parameters = ", ".join(["self", *first, *(["*", *last] if last else [])])
    made: dict[str, Any] = {}
    exec(f"def __init__({parameters}):\n " + "\n ".join(lines), needed, made)  # noqa: S102
    init: Callable[..., None] = made["__init__"]
    init.__annotations__ = {each.name: each.type for each in fields} | {"return": None}
    return init


def _parameter(field: dataclasses.Field[Any]) -> str:
    """Return a field as a parameter of `__init__`."""
    if field.default is not dataclasses.MISSING:
        return f"{field.name}=_default_{field.name}"
    return field.name if field.default_factory is dataclasses.MISSING else f"{field.name}=_absent"


def _setting(field: dataclasses.Field[Any]) -> str:
    """Return the line of `__init__` that gives a field its value."""
    name = field.name
    given = field.default_factory is dataclasses.MISSING
    return f"_set(self, {name!r}, {name if given else f'_make_{name}() if {name} is _absent else {name}'})"


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

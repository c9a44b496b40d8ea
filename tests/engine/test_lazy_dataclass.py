"""Dataclasses that are finished when they are used are in the end what the standard library makes of the same class."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import FrozenInstanceError, field, fields
from inspect import signature
from typing import Any, ClassVar, Generic, TypeVar

import pytest

from smtp_wizard.engine import lazy_dataclass
from smtp_wizard.engine.lazy_dataclass import dataclass

T = TypeVar("T")
MAKERS = [lazy_dataclass.dataclass, dataclasses.dataclass]


@dataclass(frozen=True, slots=True)
class Base(Generic[T]):
    """A thing."""

    name: str
    held: T
    kinds: ClassVar[tuple[str, ...]] = ("a", "b")
    tags: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list, compare=False, repr=False)

    @property
    def title(self) -> str:
        return self.name.title()


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Child(Base[int]):
    more: int = 3


@dataclass(frozen=True, slots=True, repr=False)
class Quiet:
    word: str

    def __str__(self) -> str:
        return "***"


def written(maker: Any) -> tuple[type, type, type, type]:
    """Make classes anew, one of them from another, so that nobody has used them yet."""

    @maker(frozen=True, slots=True)
    class First:
        """Doc."""

        a: int
        b: str = "b"
        c: list[int] = field(default_factory=list, compare=False)

        def doubled(self) -> int:
            return self.a * 2

    @maker(frozen=True, slots=True, kw_only=True, order=True)
    class Second(First):
        d: float = 1.5

        def __post_init__(self) -> None:
            if self.d < 0:
                raise ValueError("d")

    @maker(frozen=True, slots=True, kw_only=True, repr=False)
    class Third:
        """Only by name."""

        a: int
        self_: str = field(default="me", hash=False)
        seen: list[object] = field(default_factory=list, repr=False, compare=False)

        def __post_init__(self) -> None:
            self.seen.append(self.self_)

    @maker(frozen=True, slots=True)
    class Fourth:
        """Holds others."""

        held: tuple[object, ...] | list[object] = ()

    return First, Second, Third, Fourth


def described(kind: type) -> dict[str, Any]:
    """What can be seen of a class from outside."""
    return {
        "fields": [(each.name, each.type, each.default, each.kw_only, each.compare) for each in fields(kind)],
        "slots": kind.__dict__["__slots__"],
        "names": {name for name in vars(kind) if name not in {"__firstlineno__", "__static_attributes__"}},
        "match": kind.__dict__["__match_args__"],
        "params": repr(kind.__dict__["__dataclass_params__"]),
        "doc": kind.__doc__,
        "named": (kind.__module__, kind.__qualname__.rpartition(".")[2]),
        "parameters": [(name, each.kind, each.annotation) for name, each in signature(kind).parameters.items()],
        "methods": {
            name: (method.__name__, method.__module__, method.__qualname__.split(".")[-2:])
            for name in ("__init__", "__eq__", "__hash__", "__setattr__", "__delattr__")
            if (method := vars(kind).get(name))
        },
    }


@pytest.mark.parametrize("at", range(4))
def test_it_ends_as_the_same_class(at: int) -> None:
    ours, theirs = (described(written(maker)[at]) for maker in MAKERS)
    assert ours == theirs


USES: Sequence[Callable[..., object]] = (
    lambda first, second, *_: repr(first(1)) + repr(second(a=1)),
    lambda first, second, *_: (first(1) == first(1, c=[2]), first(1) == first(2), second(a=1) == first(1)),
    lambda first, second, *_: (hash(first(1)) == hash((1, "b")), hash(second(a=1, d=2.0)) == hash((1, "b", 2.0))),
    lambda first, second, *_: second(a=1) < second(a=1, d=2.5),
    lambda first, second, *_: (dataclasses.replace(first(1), b="x").b, first(3).doubled(), second(a=3).doubled()),
    lambda first, second, *_: (dataclasses.asdict(second(a=1)), dataclasses.is_dataclass(first)),
    lambda first, second, *_: (first(1).__class__ is first, isinstance(second(a=1), first), issubclass(second, first)),
    lambda first, second, *_: hasattr(first(1), "__dict__"),
    lambda first, second, *_: (copy.copy(second(a=7)).a, copy.deepcopy(first(1, c=[2])).c),
    lambda first, second, *_: caught(first),
    lambda first, second, *_: caught(lambda: second(a=1, d=-1)),
    lambda first, second, *_: caught(lambda: second(1, "b", [], 1.5)),
    lambda first, second, *_: caught(lambda: setattr(first(1), "a", 2)),
    lambda first, second, *_: caught(lambda: delattr(second(a=1), "d")),
    lambda first, second, *_: caught(lambda: first(1) < first(2)),
    lambda first, second, third, _: (third(a=1).seen, third(a=1, self_="x").seen, third(a=1, seen=[2]).seen),
    lambda first, second, third, _: (third(a=1) == third(a=1, seen=[0]), third(a=1) == third(a=1, self_="x")),
    lambda first, second, third, _: hash(third(a=1)) == hash(third(a=1, self_="x")) == hash((1,)),
    lambda first, second, third, _: repr(third(a=1)).startswith("<"),
    lambda first, second, third, _: [caught(call) for call in (third, lambda: third(1), lambda: third(a=1, b=2))],
    lambda first, second, third, fourth: [
        caught(lambda: setattr(fourth(), "held", 1)),
        caught(fourth().__delattr__, "held"),
    ],
    lambda first, second, third, fourth: (
        hash(fourth((1,))) == hash(((1,),)),
        fourth((1,)) == fourth((1,)),
        fourth() == (),
    ),
    lambda first, second, third, fourth: repr(fourth((fourth(), fourth((1,))))).rpartition(".")[2],
    lambda first, second, third, fourth: repr(held_by_itself(fourth)).rpartition(".")[2],
    lambda first, second, third, fourth: third(a=1).__eq__(first(1)),
)


def held_by_itself(kind: Any) -> object:
    inside: list[object] = []
    whole = kind(inside)
    inside.append(whole)
    return whole


def caught(call: Callable[..., object], *arguments: object) -> tuple[str, bool]:
    with pytest.raises((TypeError, ValueError, AttributeError)) as problem:
        call(*arguments)
    return problem.typename, isinstance(problem.value, FrozenInstanceError)


@pytest.mark.parametrize("use", USES)
def test_whatever_is_done_first_it_behaves_as_the_standard_one(use: Callable[..., object]) -> None:
    ours, theirs = (use(*written(maker)) for maker in MAKERS)
    assert ours == theirs


def test_nothing_is_written_for_a_class_that_nobody_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[type] = []
    original = dataclasses.dataclass

    def counted(**options: Any) -> Any:
        def decorated(kind: type) -> type:
            made.append(kind)
            return original(**options)(kind)

        return decorated

    monkeypatch.setattr(dataclasses, "dataclass", counted)
    first, second, *_ = written(lazy_dataclass.dataclass)
    assert made == []
    assert first(1) == first(1)
    assert [kind.__name__ for kind in made] == ["First"]
    assert second(a=1).d == 1.5
    assert second(a=1).d == 1.5
    assert [kind.__name__ for kind in made] == ["First", "Second"]


def test_of_the_methods_of_most_classes_one_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []

    def counted(text: str, *places: Any) -> None:
        """Also for the standard library, which has one text for each method, or for all of them, or for none."""
        compiled.extend(re.findall(r"^ *def (__[a-z]+__)", text, re.MULTILINE))
        exec(text, *places)

    monkeypatch.setattr(lazy_dataclass, "exec", counted, raising=False)
    monkeypatch.setattr(dataclasses, "exec", counted, raising=False)
    _, _, third, fourth = written(lazy_dataclass.dataclass)
    assert (third(a=1) == third(a=1), hash(fourth()), repr(fourth(("x",)))[-12:]) == (True, hash(((),)), "held=('x',))")
    assert compiled == ["__init__"] * 2


def test_a_pattern_takes_it_apart() -> None:
    match Child(name="x", held=1):
        case Base(name, held):
            assert (name, held) == ("x", 1)
        case _:
            raise AssertionError


def test_what_stands_in_the_class_stays_there() -> None:
    assert Base.kinds == Child.kinds == ("a", "b")
    assert Base("ana", 1.5).title == "Ana"
    assert Child(name="ana", held=1, more=4).title == "Ana"
    assert "word" not in repr(Quiet("hunter2"))
    assert "hunter2" not in repr(Quiet("hunter2"))
    assert f"{Quiet('hunter2')}" == "***"


def test_it_can_be_written_down_and_read_again() -> None:
    thing = Child(name="x", held=1, tags=("t",), more=9)
    assert pickle.loads(pickle.dumps(thing)) == thing


def test_classes_that_cannot_be_finished_later_are_refused() -> None:
    for options in ({"frozen": False, "slots": True}, {"frozen": True, "slots": False}):
        with pytest.raises(TypeError):
            MAKERS[0](**options)


def test_threads_that_use_it_first_at_once_meet_whole_objects() -> None:
    for _ in range(20):
        _, second, *_ = written(lazy_dataclass.dataclass)
        gate = threading.Barrier(8)
        made: list[Any] = []

        def use(second: Any = second, gate: threading.Barrier = gate, made: list[Any] = made) -> None:
            gate.wait()
            made.append(second(a=1, d=2.5))

        threads = [threading.Thread(target=use) for _ in range(8)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert made == [second(a=1, d=2.5)] * 8
        assert made[0].d == 2.5

"""Dataclasses that are finished when they are used are in the end what the standard library makes of the same class."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import threading
from collections.abc import Callable, Sequence
from dataclasses import FrozenInstanceError, field, fields
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


def written(maker: Any) -> tuple[type, type]:
    """Make two classes anew, one of them from the other, so that nobody has used them yet."""

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

    return First, Second


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
    }


@pytest.mark.parametrize("at", [0, 1])
def test_it_ends_as_the_same_class(at: int) -> None:
    ours, theirs = (described(written(maker)[at]) for maker in MAKERS)
    assert ours == theirs


USES: Sequence[Callable[[Any, Any], object]] = (
    lambda first, second: repr(first(1)) + repr(second(a=1)),
    lambda first, second: (first(1) == first(1, c=[2]), first(1) == first(2), second(a=1) == first(1)),
    lambda first, second: (hash(first(1)) == hash((1, "b")), hash(second(a=1, d=2.0)) == hash((1, "b", 2.0))),
    lambda first, second: second(a=1) < second(a=1, d=2.5),
    lambda first, second: (dataclasses.replace(first(1), b="x").b, first(3).doubled(), second(a=3).doubled()),
    lambda first, second: (dataclasses.asdict(second(a=1)), dataclasses.is_dataclass(first)),
    lambda first, second: (first(1).__class__ is first, isinstance(second(a=1), first), issubclass(second, first)),
    lambda first, second: hasattr(first(1), "__dict__"),
    lambda first, second: (copy.copy(second(a=7)).a, copy.deepcopy(first(1, c=[2])).c),
    lambda first, second: caught(first),
    lambda first, second: caught(lambda: second(a=1, d=-1)),
    lambda first, second: caught(lambda: second(1, "b", [], 1.5)),
    lambda first, second: caught(lambda: setattr(first(1), "a", 2)),
    lambda first, second: caught(lambda: delattr(second(a=1), "d")),
    lambda first, second: caught(lambda: first(1) < first(2)),
)


def caught(call: Callable[[], object]) -> tuple[str, bool]:
    with pytest.raises((TypeError, ValueError, AttributeError)) as problem:
        call()
    return problem.typename, isinstance(problem.value, FrozenInstanceError)


@pytest.mark.parametrize("use", USES)
def test_whatever_is_done_first_it_behaves_as_the_standard_one(use: Callable[[Any, Any], object]) -> None:
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
    first, second = written(lazy_dataclass.dataclass)
    assert made == []
    assert first(1) == first(1)
    assert [kind.__name__ for kind in made] == ["First"]
    assert second(a=1).d == 1.5
    assert second(a=1).d == 1.5
    assert [kind.__name__ for kind in made] == ["First", "Second"]


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
        _, second = written(lazy_dataclass.dataclass)
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

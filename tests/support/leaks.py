"""Finds a secret wherever it may have got to: as it is, or as base64 at any alignment."""

from __future__ import annotations

import base64
from pathlib import Path


def spellings(secret: str) -> tuple[bytes, ...]:
    """Return what gives a secret away: itself, and what is the same in every base64 text that has it in it."""
    raw = secret.encode()
    return (raw, *(_core(raw, ahead) for ahead in range(3)))


def _core(raw: bytes, ahead: int) -> bytes:
    """Return the middle of the base64 of a text that has `raw` after `ahead` other bytes, whatever stands around it."""
    first = -(-8 * ahead // 6)
    last = 8 * (ahead + len(raw)) // 6
    return base64.b64encode(b"\0" * ahead + raw + b"\0\0")[first:last]


def assert_no_trace(secret: str, *places: str | bytes | Path) -> None:
    """Fail where a text, or any file below a folder, has the secret in it."""
    for place in places:
        for name, data in _contents(place):
            for spelling in spellings(secret):
                assert spelling not in data, f"the secret stands in {name}"


def _contents(place: str | bytes | Path) -> list[tuple[str, bytes]]:
    if isinstance(place, Path):
        found = [place, *place.rglob("*")]
        names = [(f"the name {path.name}", path.name.encode()) for path in found]
        return names + [(str(path), data) for path in found if (data := _content(path)) is not None]
    data = place.encode("utf-8", "surrogatepass") if isinstance(place, str) else place
    return [("what was told", data)]


def _content(path: Path) -> bytes | None:
    """Return what is in a file; None where there is none, or no more: a database clears up behind the last reader."""
    try:
        return path.read_bytes() if path.is_file() else None
    except FileNotFoundError:
        return None


def reachable(problem: BaseException) -> str:
    """Return all that an exception has in it, and those that led to it: their texts, and what they were raised with."""
    told: list[str] = []
    seen: BaseException | None = problem
    while seen is not None:
        names = [name for name in dir(seen) if not name.startswith("__") and name != "with_traceback"]
        told += [repr(seen), str(seen), *(repr(getattr(seen, name, None)) for name in names)]
        told += [text.decode("utf-8", "replace") for name in names if isinstance(text := getattr(seen, name), bytes)]
        seen = seen.__cause__ or seen.__context__
    return "\n".join(told)

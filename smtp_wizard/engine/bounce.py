"""Bounces."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bounce:
    text: str


def read_bounce(text: str) -> Bounce | None:
    return None

"""Make the pictures in docs/ from the running program: the wizard is walked against the practice server.

Run it with `make picture`. The pictures are SVG; the fonts that they would fetch from elsewhere are taken out.
"""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from textual.pilot import Pilot

from smtp_wizard.app import WizardApp
from smtp_wizard.engine.guides.guides import Guides
from smtp_wizard.launch import build_services

DOCS = Path(__file__).resolve().parent.parent / "docs"
SIZE = (120, 32)
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


async def until(pilot: Pilot[int], text: str) -> None:
    """Wait until a text stands on the screen."""
    for _ in range(200):
        if text in pilot.app.export_screenshot().replace("&#160;", " "):
            return
        await pilot.pause(0.05)
    raise SystemExit(f"'{text}' never came on the screen")


def save(pilot: Pilot[int], name: str) -> None:
    """Write the screen as SVG without anything that a viewer would fetch from elsewhere."""
    svg = pilot.app.export_screenshot(title="smtp-wizard")
    svg = re.sub(r"@font-face\s*\{[^}]*\}", "", svg)
    svg = re.sub(r"terminal-\d+", "terminal", svg)
    svg = "\n".join(line.rstrip() for line in svg.splitlines() if line.strip())
    DOCS.joinpath(name).write_text(svg + "\n", encoding="utf-8")


async def walk(pilot: Pilot[int]) -> None:
    """From the address to the sign-in that failed, and to the one that passed."""
    await until(pilot, "Which address")
    await pilot.press("f3")
    await until(pilot, "What do you want to practise?")
    save(pilot, "signin.svg")
    await pilot.press("down", "enter")
    await until(pilot, "blanks do not matter")
    await pilot.press(*"my-usual-password", "enter")
    await until(pilot, "5 of 6 checks")
    save(pilot, "connect-failed.svg")
    await pilot.press(*"abcdefghijklmnop", "enter")  # what was refused is selected: typing replaces it
    await until(pilot, "6 of 6 checks")
    save(pilot, "connect.svg")


async def main(work: Callable[[Pilot[int]], Awaitable[None]]) -> None:
    """Run the program without a terminal and let `work` press its keys."""
    with tempfile.TemporaryDirectory() as folder:
        services = replace(build_services(Path(folder), os.environ), now=lambda: NOON)
        app = WizardApp(services, Guides())
        async with app.run_test(size=SIZE) as pilot:
            await work(pilot)


if __name__ == "__main__":
    asyncio.run(main(walk))

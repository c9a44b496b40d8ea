"""What runs on the other computer: reads a request, makes the check, writes the answer. Standard library alone."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.records import read_record, write_record
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.base.stages import Depth
from smtp_wizard.engine.base.strict_json import read_json
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.checks.report import Report
from smtp_wizard.engine.checks.runner import run_checks
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.remote.messages import BEGINS, RemoteCheckRequest, RemoteCheckResponse, StageOutcome
from smtp_wizard.engine.smtp.symptom import Fault, Symptom
from smtp_wizard.engine.smtp.transport import SocketWire

WARNINGS = frozenset({Fault.EXPIRES_SOON, Fault.INJECTED})
"""What the check goes on after."""


class RecordedSymptoms:
    """Keeps the symptoms for where the rules are that explain them."""

    def __init__(self) -> None:
        self._symptoms: list[tuple[Finding, Symptom]] = []

    def explain(self, symptom: Symptom) -> Finding:
        """As `Diagnosis.explain`, with a finding that only stands for the symptom."""
        finding = Finding(
            code=symptom.fault.value,
            title=phrase("{}", symptom.fault),
            explanation=phrase(""),
            who=Who.YOU,
            steps=(),
            server_said=symptom.words if symptom.code is not None else phrase(""),
            warning=symptom.fault in WARNINGS,
        )
        self._symptoms.append((finding, symptom))
        return finding

    def symptom_of(self, finding: Finding | None) -> Symptom | None:
        """Return what a finding stands for."""
        return next((symptom for each, symptom in self._symptoms if each is finding), None)


async def answer(question: RemoteCheckRequest, ca_file: str | None) -> RemoteCheckResponse:
    """Make the check."""
    noted = RecordedSymptoms()
    signs_in = question.depth is not Depth.SERVER and question.auth is not Auth.NONE
    report: Report = await run_checks(
        question.target(ca_file),
        Secret(question.secret) if signs_in and question.secret is not None else None,
        depth=question.depth,
        wire=SocketWire(),
        diagnosis=noted,
        emit=lambda _: None,
    )
    return RemoteCheckResponse(
        outcomes=tuple(StageOutcome.of(each, noted.symptom_of(each.finding)) for each in report.results)
    )


def main(folder: str) -> None:
    """Read a question from standard input, and write the answer. `folder`: this run's own, removed after it."""
    question = read_record(RemoteCheckRequest, read_json(sys.stdin.buffer.read()))
    ca_file = None
    if question.authority is not None:
        ca_file = str(Path(folder) / "authority.pem")
        with os.fdopen(os.open(ca_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(question.authority)
    sys.stdout.buffer.write(b"\n" + BEGINS)
    sys.stdout.buffer.flush()
    sys.stdout.write(json.dumps(write_record(asyncio.run(answer(question, ca_file)))) + "\n")

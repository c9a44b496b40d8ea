"""Other people's lists of providers: what differs from ours is found, and explained."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from smtp_wizard.engine.providers.catalog import load_catalog

TOOL = Path(__file__).parent.parent / "tools" / "compare_lists.py"
CATALOG = load_catalog()
SAMPLES = {
    "ispdb": {
        "folder/web.de": """<clientConfig><emailProvider id="web.de"><domain>web.de</domain>
            <outgoingServer type="smtp"><hostname>smtp.web.de</hostname><port>587</port>
            <socketType>STARTTLS</socketType></outgoingServer></emailProvider></clientConfig>""",
        "folder/other": """<clientConfig><emailProvider id="o"><domain>web.de</domain><domain>nobody.example</domain>
            <outgoingServer type="smtp"><hostname>other.web.de</hostname><port>465</port><socketType>SSL</socketType>
            </outgoingServer></emailProvider></clientConfig>""",
    },
    "fairemail": {
        "file": r"""<providers><provider name="x" domain="web\\.de,.*\\.other\\.example">
            <smtp host="other.web.de" port="465" starttls="false"/></provider></providers>""",
    },
    "chatmail": {
        "folder/web.md": """---
domains: [web.de]
server:
  - {type: smtp, socket: SSL, hostname: other.web.de, port: 465}
  - {type: imap, socket: SSL, hostname: imap.web.de, port: 993}
---
Words.
""",
    },
    "nodemailer": {"file": '{"x": {"domains": ["web.de"], "host": "other.web.de", "port": 465}, "y": {"service": 1}}'},
    "mailspring": {
        "file": '{"web.de": {"smtp_host": "other.web.de", "smtp_port": 465, "smtp_security": "SSL / TLS"}, "z": {}}'
    },
}


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("compare_lists", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", SAMPLES)
def test_each_list_is_read_and_what_differs_is_found(tool: ModuleType, name: str, tmp_path: Path) -> None:
    for place, text in SAMPLES[name].items():
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).write_text(text, "utf-8")
    path = tmp_path / ("file" if "file" in SAMPLES[name] else "folder")
    other = tool.Difference("web-de", name, "other.web.de:465 tls")
    assert tool.compare({name: path}, CATALOG, {}) == [
        f"web-de: {name} has other.web.de:465 tls, which is not explained"
    ]
    assert tool.compare({name: path}, CATALOG, {other: "because"}) == []
    gone = tool.Difference("gmx", name, "gone.gmx.net:465 tls")
    assert tool.compare({name: path}, CATALOG, {other: "because", gone: "was"}) == [
        f"gmx: {name} has gone.gmx.net:465 tls no more"
    ]


def test_each_difference_of_the_table_is_one_and_has_a_reason(tool: ModuleType) -> None:
    table = tool.explained(tool.TABLE.read_text("utf-8"))
    assert len(table) > 20
    for each, why in table.items():
        provider = CATALOG.get(each.provider)
        assert provider is not None, each
        assert each.list in tool.READERS, each
        assert len(why) > 10, each

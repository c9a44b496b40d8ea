"""Many mail servers far away, in a process of their own: `python -m bench.far_fleet SERVERS SECONDS`.

It prints one line of JSON first (where they listen, whom to trust), and one when standard input has ended (how many
signed in).
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from bench.peer import _end_of_input
from tests.support.many import many_servers


async def serve(count: int, round_trip: float) -> None:
    """Serve until standard input ends."""
    with tempfile.TemporaryDirectory() as folder:
        async with many_servers(Path(folder), count, round_trip) as many:
            print(json.dumps({"servers": many.places, "ca": str(many.ca_file)}), flush=True)
            await _end_of_input()
    print(json.dumps({**asdict(many.totals), "cpu": time.process_time()}), flush=True)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))

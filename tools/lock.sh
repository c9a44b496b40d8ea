#!/bin/sh
# Pin every package that `make test` installs, with hashes, for each Python and platform: requirements-dev.txt.
set -eu
cd "$(dirname "$0")/.."

uv=$(command -v uv || true)
if [ -z "$uv" ]; then
    tools/venv.sh run
    [ -x .make/uv/bin/uv ] || {
        .venv/bin/python -m venv .make/uv
        .make/uv/bin/pip install -qq uv
    }
    uv=.make/uv/bin/uv
fi

"$uv" pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
    --no-annotate --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' \
    pyproject.toml --group dev --output-file requirements-dev.txt

#!/bin/sh
# Make .venv ready: `venv.sh run` for the program alone, `venv.sh test` for its tests and checks too.
# Does nothing, at once, when what is installed already matches the folder, the Python and the lists of packages.
set -eu
cd "$(dirname "$0")/.."
purpose=$1

# The first Python that is new enough. Each is started, since a name on PATH may stand for one that is not installed.
find_python() {
    for name in python3 python3.13 python3.12 python3.11 python; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
}

usable() {
    .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

# What an installation depends on. The folder is part of it: the commands in .venv/bin name it.
state() {
    pwd
    .venv/bin/python --version
    case $1 in
        run) cksum pyproject.toml ;;
        test) cksum pyproject.toml requirements-dev.txt ;;
    esac
}

ready() {
    [ -f ".venv/ready-to-$1" ] && [ "$(state "$1")" = "$(cat ".venv/ready-to-$1")" ]
}

make_venv() {
    python=$(find_python)
    if command -v uv >/dev/null && uv venv --quiet --python "${python:->=3.11}" .venv; then
        return
    fi
    if [ -z "$python" ]; then
        echo 'smtp-wizard needs Python 3.11 or newer: install it, then run make again.' >&2
        exit 1
    fi
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        package="python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
        if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
            echo "This Python cannot make a virtual environment: install the package $package, then run make again." >&2
            exit 1
        fi
        apt-get -qq update || true
        DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-remove --no-install-recommends "$package" >/dev/null
    fi
    "$python" -m venv .venv
}

# pip where the environment has it; one that uv made has none.
install() {
    if .venv/bin/python -c 'import pip' 2>/dev/null; then
        .venv/bin/python -m pip install -qq --disable-pip-version-check "$@"
    else
        uv pip install --quiet --python .venv/bin/python "$@"
    fi
}

if usable; then
    if ready "$purpose"; then
        exit
    fi
    # What is there was installed for another folder: its commands would start the wrong program.
    if [ -f .venv/folder ] && [ "$(cat .venv/folder)" != "$(pwd)" ]; then
        rm -rf .venv
    fi
else
    rm -rf .venv
fi

echo 'Setting up: about a minute, once.' >&2
[ -d .venv ] || make_venv
pwd >.venv/folder
case $purpose in
    run)
        install --editable .
        ;;
    test)
        install --require-hashes --requirement requirements-dev.txt
        install --no-deps --no-build-isolation --editable .
        state test >.venv/ready-to-test
        ;;
esac
state run >.venv/ready-to-run

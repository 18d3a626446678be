#!/bin/sh
# Bring .venv to what uv.lock says. Fetches uv into var/uv where there is none.
set -u
cd "$(dirname "$0")/.." || exit 1
say() { printf '%s\n' "$*"; }
fail() { printf '\n%s\n' "$*" >&2; exit 1; }
as_root_with_apt() { [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; }

install_venv() {
    say "  installing python3-venv with apt"
    if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        python3 python3-venv ca-certificates; } > var/apt.log 2>&1; then
        tail -n 3 var/apt.log >&2
        fail "apt could not install python3-venv: install it by hand, then run the same command again."
    fi
}

bootstrap_uv() {
    say "  fetching uv into var/uv"
    rm -rf var/uv
    if ! python3 -c 'import ensurepip, venv' 2> /dev/null; then
        as_root_with_apt || fail "Python's venv module is missing: install python3 and python3-venv (or uv), then run the same command again."
        install_venv
    fi
    python3 -m venv var/uv > var/uv.log 2>&1 && var/uv/bin/python -m pip install -q uv >> var/uv.log 2>&1 || {
        tail -n 3 var/uv.log >&2
        rm -rf var/uv
        fail "uv could not be fetched: check the connection to the Python package index, or install uv yourself, then run the same command again."
    }
}

# A uv on PATH may be a wrapper without anything behind it: ask it for its version.
find_uv() {
    for candidate in uv var/uv/bin/uv; do
        if "$candidate" --version > /dev/null 2>&1; then UV=$candidate; return 0; fi
    done
    return 1
}

mkdir -p var
started=$(date +%s)
find_uv || { bootstrap_uv; find_uv || fail "uv was fetched but does not run: see var/uv.log."; }
[ -x .venv/bin/python ] || say "  creating .venv from uv.lock"
if ! "$UV" sync --locked --quiet --extra similarity 2> var/sync.log; then
    tail -n 5 var/sync.log >&2
    if grep -qi 'no interpreter found' var/sync.log; then
        fail "Greenroom needs Python 3.11 or newer: install it, then run the same command again."
    fi
    fail "The environment does not match uv.lock (see above): check the connection to the package index; if you changed pyproject.toml, run 'uv lock'."
fi
say "environment ready ($(( $(date +%s) - started )) s)"

#!/bin/sh
# Every static check, all of them even if one fails; the exit status is 1 if any did.
cd "$(dirname "$0")/.." || exit 1
PATH="$PWD/.venv/bin:$PATH"
failed=
check() {
    name=$1; shift
    if output=$("$@" 2>&1); then printf 'ok      %s\n' "$name"
    else printf 'FAILED  %s: %s\n%s\n' "$name" "$*" "$output"; failed="$failed $name"; fi
}
check style ruff check .
check format ruff format --check .
check types mypy
check templates djlint templates --lint --quiet
check imports lint-imports --no-cache
check security bandit -q -ll -c pyproject.toml -r app sandbox
[ -z "$failed" ] && exit 0
printf '\nTo be fixed:%s. `ruff check --fix . && ruff format .` does what can be done by itself.\n' "$failed" >&2
exit 1

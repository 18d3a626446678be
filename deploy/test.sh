#!/bin/sh
# All tests. Those of the sandbox measure time and load, so they do not share the cores with the rest; many of them wait for
# a limit to be reached, so three at once fill two cores.
cd "$(dirname "$0")/.." || exit 1
status=0
for folder in tests/*/; do
    case $folder in tests/sandbox/ | *__pycache__/) ;; *) others="${others:-} $folder" ;; esac
done
.venv/bin/python -m pytest -q -n 2 --dist loadfile $others || status=1
.venv/bin/python -m pytest -q -n 3 --dist loadfile tests/sandbox --ignore=tests/sandbox/engine_restart || status=1
# Restarts the engine: nothing else may use it meanwhile.
.venv/bin/python -m pytest -q -rs tests/sandbox/engine_restart || status=1
[ $status = 0 ] || printf '\nSome tests failed: see above. One alone: .venv/bin/python -m pytest PATH::NAME\n' >&2
exit $status

#!/bin/sh
# Put other people's agents into .agents/, for `make test-agents`: Python's from a lock with hashes, node's by `npm ci`.
#   setup.sh PYTHON
set -eu
python=$1
from=packaging/agents
into=.agents

digest=$(cat "$from/requirements.lock" "$from/package-lock.json" | cksum)
stamp="$into/.installed"
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$digest" ]; then exit 0; fi
mkdir -p "$into"
echo "Installing agents into $into"
[ -x "$into/venv/bin/python" ] || "$python" -m venv "$into/venv"
"$into/venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r "$from/requirements.lock"
if command -v npm >/dev/null 2>&1; then
    cp "$from/package.json" "$from/package-lock.json" "$into/"
    npm ci --prefix "$into" --no-audit --no-fund --loglevel=error
else
    echo "No npm here: the agents of node are left out, and their tests skipped." >&2
fi
printf '%s\n' "$digest" >"$stamp"

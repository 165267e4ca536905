#!/usr/bin/env bash
# Installs what the benchmarks compare `fs` with into a virtual environment of their own, and prints
# its Python. Does nothing when all is there.
set -euo pipefail
cd "$(dirname "$0")"

venv="${FS_BENCH_PYTHON_ENV:-$HOME/.cache/fs-bench-python}"
if [ ! -x "$venv/bin/python" ] || ! cmp -s requirements.txt "$venv/requirements.txt"; then
  if ! { command -v python3 && python3 -c 'import venv, ensurepip'; } >/dev/null 2>&1; then
    echo "python3 with venv is missing: apt-get install python3 python3-venv" >&2
    exit 1
  fi
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r requirements.txt >&2
  cp requirements.txt "$venv/requirements.txt"
fi
echo "$venv/bin/python"

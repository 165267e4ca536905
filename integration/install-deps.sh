#!/usr/bin/env bash
# Installs what the tests need and the machine lacks: a Redis server, and Python packages that act as
# foreign clients of the server. Does nothing when all is there.
set -euo pipefail
cd "$(dirname "$0")/.."

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

apt_install() {
  if ! command -v apt-get >/dev/null; then
    echo "these are missing and there is no apt-get to install them: $*" >&2
    exit 1
  fi
  as_root apt-get update -qq
  DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

if [ -z "${FS_TEST_REDIS_URL:-}" ] && ! command -v redis-server >/dev/null && ! docker info >/dev/null 2>&1; then
  apt_install redis-server
fi

command -v cc >/dev/null || apt_install build-essential

# The foreign clients live in a virtual environment of their own, outside the source tree's tracked files.
venv="${FS_TEST_PYTHON_ENV:-$HOME/.cache/fs-test-python}"
wanted="integration/requirements.txt"
if [ ! -x "$venv/bin/python" ] || ! cmp -s "$wanted" "$venv/requirements.txt"; then
  command -v python3 >/dev/null && python3 -c 'import venv, ensurepip' 2>/dev/null || apt_install python3 python3-venv
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$wanted"
  cp "$wanted" "$venv/requirements.txt"
fi

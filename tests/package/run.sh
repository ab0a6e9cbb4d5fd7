#!/usr/bin/env bash
# Installs the build and compiles a program against the installed package.
set -euo pipefail
build=$1
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --install "$build" --prefix "$work/prefix" >/dev/null
"$work/prefix/bin/ltz" --version
cmake -S "$here" -B "$work/build" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" \
  -DLTZ_SANITIZE="$(sed -n 's/^LTZ_SANITIZE:STRING=//p' "$build/CMakeCache.txt")" >/dev/null
cmake --build "$work/build" >/dev/null
"$work/build/consumer" "$here/../golden/iwslt-lightweight/checkpoint.pt"

#!/usr/bin/env bash
# run.sh LTZ SCRIPT: runs the script in an empty folder, with `ltz` on the PATH, and compares what it
# prints with SCRIPT's .expected file. UPDATE=1 writes that file instead.
set -euo pipefail
ltz=$(readlink -f "$1")
script=$(readlink -f "$2")
expected=${script%.sh}.expected
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin" "$work/run"
ln -s "$ltz" "$work/bin/ltz"
export PATH="$work/bin:$PATH" GOLDEN EXAMPLES NO_COLOR=1 LC_ALL=C.UTF-8
GOLDEN=$(cd "$(dirname "$0")/../golden" && pwd)
EXAMPLES=$(cd "$(dirname "$0")/../../examples" && pwd)
cd "$work/run"
# Folders of this machine are not part of what is promised, nor is the exit code of the script.
{ bash "$script" 2>&1 || true; } | sed -e "s#$GOLDEN#GOLDEN#g; s#$EXAMPLES#EXAMPLES#g" >"$work/actual"
if [ "${UPDATE:-}" = 1 ]; then
  cp "$work/actual" "$expected"
fi
diff -u "$expected" "$work/actual"

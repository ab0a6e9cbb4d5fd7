#!/usr/bin/env bash
# run.sh [--accept] LTZ NAME: runs NAME/script.sh in an empty folder with `ltz` on the PATH. What it prints must be
# NAME/stdout and NAME/stderr, its exit code NAME/status. A file that is not there stands for no output, or for 0.
# --accept writes what was found into these files, for `git diff` to show.
set -euo pipefail
accept=
if [ "$1" = --accept ]; then
  accept=1
  shift
fi
ltz=$(readlink -f "$1")
here=$(cd "$(dirname "$0")" && pwd)
expected=$here/$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin" "$work/run" "$work/found"
ln -s "$ltz" "$work/bin/ltz"
export PATH="$work/bin:$PATH" GOLDEN EXAMPLES NO_COLOR=1 LC_ALL=C.UTF-8
GOLDEN=$(cd "$here/../golden" && pwd)
EXAMPLES=$(cd "$here/../../examples" && pwd)

cd "$work/run"
status=0
bash "$expected/script.sh" >>"$work/found/stdout" 2>>"$work/found/stderr" || status=$?
[ $status = 0 ] || echo $status >"$work/found/status"
# Where this machine keeps the files is not part of what is promised.
sed -i -e "s#$GOLDEN#GOLDEN#g; s#$EXAMPLES#EXAMPLES#g" "$work/found"/std*
find "$work/found" -empty -delete

cd "$expected"
if [ -n "$accept" ]; then
  rm -f stdout stderr status
  find "$work/found" -type f -exec cp {} . \;
fi
or_nothing() { if [ -e "$1" ]; then echo "$1"; else echo /dev/null; fi; }
failed=0
for file in stdout stderr status; do
  diff -u --label "$2/$file" --label "$file now" "$(or_nothing $file)" "$(or_nothing "$work/found/$file")" || failed=1
done
exit $failed

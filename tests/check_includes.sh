#!/usr/bin/env bash
# Fails on an include that the layering forbids: model <- compress, eval; compress <- formats; all <- cli.
# Reads every folder below, and fails where it finds nothing to read.
set -euo pipefail
cd "$(dirname "$0")/.."

declare -A allowed=(
  [model]="model"
  [compress]="compress model"
  [eval]="eval model"
  [formats]="formats model compress"
  [cli]="cli formats eval compress model"
)
status=0
for folder in "${!allowed[@]}"; do
  pattern=$(tr ' ' '|' <<<"${allowed[$folder]}")
  includes=$(find "$folder" -name '*.h' -o -name '*.cpp' | sort | xargs -r grep -nHE '^ *# *include *"' || true)
  if [ -z "$includes" ]; then
    echo "$folder: expected includes to check, found none"
    status=1
    continue
  fi
  while IFS=: read -r file line include; do
    if ! grep -qE "\"($pattern)/" <<<"$include"; then
      echo "$file:$line: $folder may include only: ${allowed[$folder]}; found $include"
      status=1
    fi
  done <<<"$includes"
done
if grep -rnE '^ *# *include *<(CLI/|CLI\.)' model compress eval formats; then
  echo "only cli/ may know CLI11"
  status=1
fi
exit $status

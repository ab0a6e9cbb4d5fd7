#!/usr/bin/env bash
# The walls of the house. Fails
# - on an include that leaves a folder for one it may not see: model <- compress, eval; compress <- formats; all <- cli;
# - on an include that leaves a room for one above or beside it, in the order below;
# - on a file outside of every room;
# - on CLI11 outside of cli/commands and cli/options, and on a terminal or an exit code in cli/pipeline;
# - where it finds nothing to read.
set -euo pipefail
cd "${1:-$(dirname "$0")/..}"

declare -A folders=(
  [model]="model"
  [compress]="compress model"
  [eval]="eval model"
  [formats]="formats model compress"
  [cli]="cli formats eval compress model"
)
# The rooms of each folder from the ground up. A room sees those before it; what stands between the
# same bars sees nothing of each other.
declare -A rooms=(
  [model]="base | text | checkpoint | kernels | layers | decoding | training"
  [compress]="codebooks | sensitivity | calibration | second_order training | recipes"
  [eval]="scores | quality | budget"
  [formats]="bytes files | entropy torch hdf5 | ltz fairseq | runtime safetensors | models records onnx"
  [cli]="pipeline | terminal | options | reports | commands"
)
status=0
complain() {
  echo "$1"
  status=1
}

# level FOLDER ROOM: between which bars it stands; nothing if it does not.
declare -A level
for folder in "${!rooms[@]}"; do
  number=0
  for room in ${rooms[$folder]}; do
    if [ "$room" = "|" ]; then
      number=$((number + 1))
    else
      level[$folder/$room]=$number
      [ -n "$(find "$folder/$room" -name '*.h' -o -name '*.cpp' 2>/dev/null)" ] || complain "$folder/$room: expected files to check, found none"
    fi
  done
done

for folder in "${!folders[@]}"; do
  while IFS= read -r file; do
    [ -n "${level[${file%/*}]:-}" ] || complain "$file: expected a file in one of the rooms of $folder: ${rooms[$folder]}"
  done < <(find "$folder" -name '*.h' -o -name '*.cpp')
  includes=$(find "$folder" -name '*.h' -o -name '*.cpp' | sort | xargs -r grep -nHE '^ *# *include *"' || true)
  [ -n "$includes" ] || complain "$folder: expected includes to check, found none"
  while IFS=: read -r file line include; do
    path=${include#*\"}
    path=${path%%\"*}
    seen=${path%%/*}
    if [[ " ${folders[$folder]} " != *" $seen "* ]]; then
      complain "$file:$line: $folder may include only: ${folders[$folder]}; found \"$path\""
    elif [ "$seen" = "$folder" ] && [ "${path%/*}" != "${file%/*}" ]; then
      from=${level[${file%/*}]:-}
      to=${level[${path%/*}]:-}
      if [ -z "$to" ] || { [ -n "$from" ] && [ "$to" -ge "$from" ]; }; then
        complain "$file:$line: ${file%/*} may include only the rooms before it (${rooms[$folder]}); found \"$path\""
      fi
    fi
  done < <(grep . <<<"$includes")
done

# forbid WHY PATTERN FOLDER...
forbid() {
  local why=$1 pattern=$2
  shift 2
  if grep -rnE "$pattern" "$@" --include=*.h --include=*.cpp; then
    complain "$why"
  fi
}
forbid "only cli/commands, cli/options and cli/reports may know CLI11" '^ *# *include *<(CLI/|CLI\.)' model compress eval formats cli/terminal cli/pipeline
forbid "cli/pipeline has neither a terminal nor exit codes" '^ *# *include *(<(cstdio|iostream)>|"cli/(terminal|commands|options|reports)/)|(fmt::print|std::(cout|cerr)|std::exit)\b' cli/pipeline
exit $status

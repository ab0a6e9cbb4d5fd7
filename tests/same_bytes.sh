#!/usr/bin/env bash
# same_bytes.sh LTZ [OTHER_LTZ...]: compresses one model with every preset, again and again: with other numbers of threads,
# locales, time zones, working directories and kinds of input file, and with other builds of ltz (another compiler, another
# build type). All artifacts of a preset must be the same, byte by byte; and what one holds is read alike by older processors
# (qemu-x86_64, where it is installed).
#   PRESETS="P..."       with "+finetune" behind those that are to be trained, too (all)
#   MODEL=F SRC=F REF=F  what is compressed, calibrated and trained with (a small model with random weights)
set -euo pipefail
ltz=$(readlink -f "$1")
shift
others=()
for other in "$@"; do
  others+=("$(readlink -f "$other")")
done
golden=$(cd "$(dirname "$0")/golden/iwslt-lightweight" && pwd)
model=$(readlink -f "${MODEL:-$golden/checkpoint.pt}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -n "${SRC:-}" ]; then
  cp "$SRC" "$work/src"
  cp "$REF" "$work/ref"
else
  cut -d' ' -f1 "$golden/dict.src.txt" | head -12 | paste -d' ' - - >"$work/src"
  tac "$work/src" >"$work/ref"
fi
cd "$work"
"$ltz" convert "$model" m.h5
"$ltz" convert "$model" m.safetensors
mkdir elsewhere
if localedef -i tr_TR -f UTF-8 ./tr_TR.UTF-8 2>/dev/null; then
  export LOCPATH=$work  # a comma in numbers, and an i without a dot
fi

texts=(--src "$work/src" --ref "$work/ref")
training=(--finetune --epochs 1 --train-src "$work/src" --train-ref "$work/ref")
failures=0
count=0
compressed() { # ltz, model, output, options...: of the preset
  local program=$1 input=$2 output=$3
  shift 3
  "$program" compress "$input" -o "$output" "${options[@]}" "$@" >/dev/null 2>messages || {
    cat messages >&2
    exit 3
  }
}
expect_same() { # file, other file, what is different
  count=$((count + 1))
  cmp -s "$work/$1" "$work/$2" || {
    echo "$preset: other bytes with $3" >&2
    failures=$((failures + 1))
  }
}
same() { # what is different, environment and command...
  local what=$1
  shift
  rm -f "$work/other.ltz"
  "$@"
  expect_same first.ltz other.ltz "$what"
}
in_environment() { # assignments... -- arguments of compressed
  local assignments=()
  while [ "$1" != -- ]; do
    assignments+=("$1")
    shift
  done
  shift
  (export "${assignments[@]}" && compressed "$@")
}
from_elsewhere() { (cd elsewhere && compressed "$ltz" ../m.h5 ../other.ltz); }

for preset in ${PRESETS:-paper balanced max paper+finetune max+finetune}; do
  options=(--preset "${preset%+*}" "${texts[@]}")
  [ "$preset" = "${preset%+*}" ] || options+=("${training[@]}")
  compressed "$ltz" m.h5 first.ltz
  for threads in 1 2 3 5; do
    same "$threads threads" compressed "$ltz" m.h5 other.ltz --threads $threads
  done
  same "another locale" in_environment LC_ALL=tr_TR.UTF-8 -- "$ltz" m.h5 other.ltz
  same "another time zone" in_environment TZ=Asia/Kathmandu -- "$ltz" m.h5 other.ltz
  same "another working directory" from_elsewhere
  same "a .safetensors" compressed "$ltz" m.safetensors other.ltz
  same "the checkpoint itself" compressed "$ltz" "$model" other.ltz
  for other in "${others[@]}"; do
    same "$other" compressed "$other" m.h5 other.ltz
  done
  if command -v qemu-x86_64 >/dev/null; then
    "$ltz" unpack first.ltz -o first.h5 2>/dev/null
    for processor in Nehalem Haswell; do
      qemu-x86_64 -cpu $processor "$ltz" unpack first.ltz -o other.h5 2>/dev/null
      expect_same first.h5 other.h5 "weights read by a $processor"
    done
  fi
done
echo "$count artifacts compared, $failures differ"
[ "$failures" = 0 ]

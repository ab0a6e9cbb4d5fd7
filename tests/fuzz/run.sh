#!/usr/bin/env bash
# run.sh SECONDS [TARGET...]: fuzzes each decoder for so long, on all processors, and prints a table of what was tried by
# this and earlier runs, which it goes on from (build/fuzz).
# Needs clang-16, libclang-rt-16-dev, libfuzzer-16-dev, libomp-16-dev, zip and unzip (clang-14 cannot read the ranges of libstdc++ 12).
# Checksums are off in this build. What crashed is kept in build/fuzz/crashes; to have it replayed as a test, put
# it into corpus/TARGET.zip.
#   INPUTS=N  no more than N inputs of each decoder, those of earlier runs among them
#   UPDATE=1  afterwards, corpus/TARGET.zip becomes what reaches as much with the least inputs
set -euo pipefail
seconds=$1
shift
cd "$(dirname "$0")/../.."
cmake --preset fuzz >/dev/null
cmake --build --preset fuzz >/dev/null
fuzz=$PWD/build/fuzz/tests/fuzz
mapfile -t targets < <([ $# = 0 ] && "$fuzz" --target=all || printf '%s\n' "$@")
# What takes most of the time and finds least: the stacks of allocations (a crash, run again without this, has them), memory
# for the variables of functions that have returned, more memory that was freed than one input needs, and how often each edge
# was taken.
export ASAN_OPTIONS=malloc_context_size=0:detect_stack_use_after_return=0:quarantine_size_mb=8:thread_local_quarantine_size_kb=64
limits=(-timeout=5 -malloc_limit_mb=256 -rss_limit_mb=2048)
mkdir -p build/fuzz/crashes build/fuzz/logs

tried() { # target
  find build/fuzz/logs -name "$1.*" -exec cat {} + | awk '/stat::number_of_executed_units:/ { tried += $2 } END { print tried + 0 }'
}
one() { # target
  local corpus=build/fuzz/corpus/$1 log=build/fuzz/logs/$1.$(date +%s) kept=tests/fuzz/corpus/$1.zip
  local runs=$((${INPUTS:-0} - $(tried "$1")))
  "$fuzz" "--target=$1" "--seeds=$corpus"
  [ ! -f "$kept" ] || unzip -qo "$kept" -d "$corpus"
  if [ -z "${INPUTS:-}" ] || [ "$runs" -gt 0 ]; then
    # OpenMP's threads would wait for work in circles.
    OMP_NUM_THREADS=1 "$fuzz" "--target=$1" "-max_total_time=$seconds" ${INPUTS:+-runs=$runs} -use_counters=0 -len_control=10 "${limits[@]}" \
      -artifact_prefix="build/fuzz/crashes/$1-" -print_final_stats=1 "$corpus" 2>"$log" || true
  fi
  awk -v target="$1" -v crashes="$(find build/fuzz/crashes -name "$1-*" | wc -l)" '
    /cov: / { for (i = 1; i < NF; ++i) if ($i == "cov:" && $(i + 1) > covered) covered = $(i + 1) }
    /stat::number_of_executed_units:/ { tried += $2 }
    /stat::peak_rss_mb:/ && $2 > memory { memory = $2 }
    END { printf "| %s | %d | %d | %d MB | %d |\n", target, tried, covered, memory, crashes }' "build/fuzz/logs/$1".*
}
keep() { # target
  local smallest
  smallest=$(mktemp -d)
  OMP_NUM_THREADS=1 "$fuzz" "--target=$1" -merge=1 -max_len=4096 "${limits[@]}" "$smallest" "build/fuzz/corpus/$1" 2>/dev/null
  rm -f "tests/fuzz/corpus/$1.zip"
  mkdir -p tests/fuzz/corpus
  (cd "$smallest" && find . -type f | LC_ALL=C sort | TZ=UTC zip -qX9 -@ "$OLDPWD/tests/fuzz/corpus/$1.zip")
  rm -r "$smallest"
}

echo "| decoder | inputs tried | edges covered | peak memory | crashes, hangs, leaks |"
echo "|---|---|---|---|---|"
running=0
for target in "${targets[@]}"; do
  one "$target" &
  if [ $((++running)) -ge "$(nproc)" ]; then
    wait -n
  fi
done
wait
if [ -n "${UPDATE:-}" ]; then
  for target in "${targets[@]}"; do
    keep "$target"
  done
fi
[ -z "$(ls build/fuzz/crashes)" ]

#!/usr/bin/env bash
# table.sh LTZ [ROW...]: prints the table of model/SPEED.md as Markdown. Rows: translate nll kmeans load start
# stream sensitivity-int8 sensitivity-float32; default: all of them, which takes an hour. Whole commands are timed
# from start to end of the process. Needs jq and the shared fixtures (models and texts) beside this repository.
#   FIXTURES=FOLDER  the models and texts
#   ARTIFACT=FILE    enfr-496 as a .ltz; default: made by `ltz compress --preset max`
#   RUNS=N           medians of so many runs (5)
set -euo pipefail
ltz=$(readlink -f "$1")
shift
rows=${*:-translate nll kmeans load start stream sensitivity-int8 sensitivity-float32}
runs=${RUNS:-5}
fixtures=${FIXTURES:-$(readlink -f "$(dirname "$0")/../../../shared/fixtures" || true)}
if [ ! -d "$fixtures" ]; then
  echo "the fixtures are not there: ${fixtures:-../shared/fixtures}" >&2
  exit 3
fi
data=$fixtures/data/m30k
example=$(readlink -f "$(dirname "$0")/../../examples/tatoeba-160/balanced.ltz")
models=$fixtures/models
all=$(nproc)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
wanted() { [[ " $rows " == *" $1 "* ]]; }
calculate() { awk "BEGIN { printf \"$1\", $2 }"; }
row() { echo "| $1 | $2 | $3 | $4 |"; }

seconds() { # input, command...: the time of one run
  local input=$1 TIMEFORMAT=%R
  shift
  { time "$@" <"$input" >"$work/output" 2>"$work/messages"; } 2>&1 || { cat "$work/messages" >&2; return 1; }
}
middle() { # of the numbers on standard input
  sort -g | awk '{ t[NR] = $1 } END { print t[int((NR + 1) / 2)] }'
}
median() { # input, command...
  for _ in $(seq "$runs"); do seconds "$@"; done | middle
}
peak() { # threads: what GEMM does now, in flop per second
  "$ltz" bench "$example" --src "$work/sentence" --runs 1 --threads "$1" --json 2>/dev/null | jq '.threads[-1].gemm_flops'
}
bench() { # model: its report on the test set, made once
  local report=$work/$1.json
  [ -s "$report" ] ||
    "$ltz" bench "$models/$1/checkpoint.pt" --src "$data/test_2016.en" --ref "$data/test_2016.fr" --runs "$runs" --json="$report" \
      >/dev/null
  echo "$report"
}
artifact() {
  if [ -z "${ARTIFACT:-}" ]; then
    ARTIFACT=$work/enfr-496.ltz
    "$ltz" compress "$models/enfr-496/checkpoint.pt" -o "$ARTIFACT" --preset max >/dev/null
  fi
}
# Peak memory in MB of translating a file: the system's own high-water mark, read until the process is gone.
peak_memory() { # lines
  local peak=0 now pid
  "$ltz" translate "$models/m30k-160/checkpoint.pt" < <(head -n "$1" "$work/stream") >"$work/output" &
  pid=$!
  while now=$(awk '/VmHWM/ { print $2 }' "/proc/$pid/status" 2>/dev/null) && [ -n "$now" ]; do
    peak=$now
    sleep 0.05
  done
  wait "$pid"
  [ "$(wc -l <"$work/output")" = "$1" ] || { echo "lines are missing" >&2; return 1; }
  calculate %.0f "$peak / 1000"
}

# Many machines do not keep their speed: each run is compared with the GEMM just before and after it, and in bytes with the
# run in float32 beside it.
translate_rows() { # model, threads, flop
  local before after time bytes
  for _ in $(seq "$runs"); do
    before=$(peak "$2")
    time=$(seconds "$data/test_2016.en" "$ltz" translate "$models/$1/checkpoint.pt" --threads "$2")
    bytes=$(seconds "$data/test_2016.en" "$ltz" translate "$models/$1/checkpoint.pt" --threads "$2" --precision int8)
    after=$(peak "$2")
    echo "$before $time $bytes $after"
  done >"$work/runs"
  row "GEMM peak beside $1" "$2" "" "$(awk '{ printf "%.1f\n", ($1 + $4) / 2e9 }' "$work/runs" | middle) GFLOP/s"
  row "\`ltz translate\`, $1, 1,000 sentences, whole command" "$2" "$(cut -d' ' -f2 "$work/runs" | middle) s" \
    "$(awk -v flop="$3" '{ printf "%.1f\n", 200 * flop / $2 / ($1 + $4) }' "$work/runs" | middle)%"
  row "the same with \`--precision int8\`" "$2" "$(cut -d' ' -f3 "$work/runs" | middle) s" \
    "$(awk '{ printf "%.2f\n", $2 / $3 }' "$work/runs" | middle)x as fast"
}

head -n 20 "$data/test_2016.en" >"$work/short"
head -n 1 "$work/short" >"$work/sentence"
echo "| what | threads | time | of the GEMM peak |"
echo "|---|---|---|---|"
if wanted translate || wanted nll; then
  for model in m30k-160 enfr-496; do
    report=$(bench "$model")
    for i in 0 1; do
      [ "$(jq ".threads | length" "$report")" -gt "$i" ] || continue
      threads=$(jq ".threads[$i].threads" "$report")
      if wanted translate; then
        translate_rows "$model" "$threads" "$(jq .translate_flop "$report")"
      fi
      if wanted nll; then
        row "teacher-forced NLL, $model, 1,000 sentences" "$threads" \
          "$(calculate %.2f "$(jq ".threads[$i].nll.seconds" "$report")") s" \
          "$(calculate %.0f "100 * $(jq ".threads[$i].nll.share_of_gemm" "$report")")%"
      fi
    done
  done
fi
if wanted kmeans; then
  report=$(bench enfr-496)
  row "K-means, 256 centroids, all matrices of enfr-496" "$all" \
    "$(calculate %.2f "$(jq '.threads[-1].kmeans.seconds' "$report")") s" ""
fi
if wanted load; then
  artifact
  "$ltz" bench "$ARTIFACT" --src "$work/short" --runs "$runs" --threads 1 --json="$work/load.json" >/dev/null
  row "loading enfr-496.ltz to ready to translate" 1 \
    "$(calculate %.2f "$(jq '.threads[0].load.seconds' "$work/load.json")") s" ""
fi
if wanted start; then
  artifact
  for threads in 1 "$all"; do
    row "one sentence by enfr-496.ltz, start to end of the process" "$threads" \
      "$(median "$work/sentence" "$ltz" translate "$ARTIFACT" --threads "$threads") s" ""
  done
fi
if wanted stream; then
  # The same lines again: memory grows with the longest sentence, but not with their number.
  for _ in $(seq 10); do head -n 10000 "$data/train.en"; done >"$work/stream"
  for lines in 10000 100000; do
    start=$(date +%s.%N)
    memory=$(peak_memory $lines)
    time=$(calculate %.1f "$(date +%s.%N) - $start")
    row "$lines lines through a pipe, m30k-160: $memory MB at most" "$all" "$time s" ""
  done
fi
runs=1
for precision in int8 float32; do
  wanted "sensitivity-$precision" || continue
  time=$(median /dev/null "$ltz" sensitivity "$models/enfr-496/checkpoint.pt" --src "$data/val.en" --ref "$data/val.fr" \
    --sentences 500 --sparsity 0.1:0.9:0.1 --bits 2:8 --precision $precision -o "$work/sensitivity-$precision.csv")
  row "\`ltz sensitivity --precision $precision\`, enfr-496: every group x 9 sparsities x 7 bit widths, 500 sentences" "$all" \
    "$time s" ""
done

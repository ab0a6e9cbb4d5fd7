#!/usr/bin/env bash
# sizes.sh [--accept] LTZ: bytes of the example model under every preset, which must be those in sizes.csv. A change that
# moves them is welcome when it is meant: --accept writes the file, for `git diff` to show. Needs jq.
set -euo pipefail
accept=
if [ "$1" = --accept ]; then
  accept=1
  shift
fi
ltz=$(readlink -f "$1")
here=$(cd "$(dirname "$0")" && pwd)
examples=$(cd "$here/../examples" && pwd)
model=$examples/tatoeba-160/checkpoint.pt
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Sums of floats depend on the kernels that OpenBLAS chooses for a processor, and with them some codes of what is
# calibrated or trained. These run on every processor with AVX2.
export OPENBLAS_CORETYPE=Haswell OMP_WAIT_POLICY=passive

# Few sentences: a minute for all presets, not results to be proud of.
head -16 "$examples/everyday.en" >"$work/src"
head -16 "$examples/everyday.fr" >"$work/ref"
calibrated=(--calibration "$work/src")
trained=(--finetune --epochs 1 --batch-tokens 300 --train-src "$work/src" --train-ref "$work/ref")

size() { # name, options...
  local name=$1
  shift
  "$ltz" compress "$model" -o "$work/artifact.ltz" --json="$work/report.json" "$@" >/dev/null 2>"$work/messages" || {
    cat "$work/messages" >&2
    exit 3
  }
  jq -r --arg name "$name" '.bytes | [$name, .artifact, .model, .embedding, .vocabulary] | map(tostring) | join(",")' \
    "$work/report.json"
}
{
  echo "preset,artifact,model,embedding,vocabulary"
  size paper --preset paper
  size balanced --preset balanced "${calibrated[@]}"
  size max --preset max "${calibrated[@]}"
  size max+finetune --preset max "${trained[@]}"
} >"$work/sizes.csv"

if [ -n "$accept" ]; then
  cp "$work/sizes.csv" "$here/sizes.csv"
fi
diff -u --label "sizes.csv" --label "sizes now" "$here/sizes.csv" "$work/sizes.csv"

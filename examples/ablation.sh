#!/usr/bin/env bash
# What each technique of the preset "max" is worth: bits per weight, size, and loss on a development
# set when it is taken out. Prints a table in Markdown. Needs jq.
#
#   examples/ablation.sh CHECKPOINT CALIBRATION DEV_SRC DEV_REF [PRESET]
set -euo pipefail
if [ $# -lt 4 ]; then
  sed -n 2,6p "$0" >&2
  exit 2
fi
model=$1 calibration=$2 source=$3 reference=$4 preset=${5:-max}
ltz=${LTZ:-ltz}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

row() { # name, line of the recipe
  printf 'preset = "%s"\n%s\n' "$preset" "$2" >"$work/recipe.toml"
  "$ltz" compress "$model" -o "$work/out.ltz" --recipe "$work/recipe.toml" \
    --calibration "$calibration" --state "$work/state" --json "$work/size.json" >/dev/null 2>"$work/log" ||
    { cat "$work/log" >&2; exit 3; }
  "$ltz" eval "$work/out.ltz" --src "$source" --ref "$reference" --json "$work/eval.json" \
    >/dev/null 2>&1
  jq -rn --arg name "$1" --slurpfile size "$work/size.json" --slurpfile eval "$work/eval.json" \
    'def round2: . * 100 | round / 100;
     "| \($name) | \($size[0].bits_per_weight | round2) | \($size[0].ratios.file | round2)x | \($eval[0].nll * 10000 | round / 10000) | \($eval[0].bleu | round2) |"'
}

echo "| | bits per weight | file | NLL | BLEU |"
echo "|---|---|---|---|---|"
row "$preset" ""
for technique in allocation error-feedback rates descent refit k-means-cells row-scales \
  sequential original-targets bias-correction; do
  row "without $technique" "without = [\"$technique\"]"
done
row "with LayerNorm repair" 'layer_norm_repair = "same-variance"'

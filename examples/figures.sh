#!/usr/bin/env bash
# What the presets make of a model, what each technique of "max" is worth to it, and what retraining
# is worth at any size: tables in Markdown, and the last one as a curve. The development set steers
# the preset "paper" and training; the test set is only looked at. Needs jq and time.
#
#   examples/figures.sh CHECKPOINT CALIBRATION DEV_SRC DEV_REF TEST_SRC TEST_REF [TRAIN_REF]
#
# LTZ: the program, ltz by default. PRESETS, ABLATION, CURVE: what to run, "paper balanced max",
# "max" and nothing by default. With TRAIN_REF, which are references of CALIBRATION, presets may be
# retrained, "max+finetune", and CURVE may be bits per weight, "1.8 2.2 2.6". TRAINING: options of
# compress for all that is retrained, "--minutes 45".
set -euo pipefail
if [ $# -lt 6 ] || [ $# -gt 7 ]; then
  sed -n 2,12p "$0" >&2
  exit 2
fi
model=$1 calibration=$2 dev_source=$3 dev_reference=$4 test_source=$5 test_reference=$6
ltz=${LTZ:-ltz} presets=${PRESETS-paper balanced max} ablation=${ABLATION-max} curve=${CURVE-}
development=(--src "$dev_source" --ref "$dev_reference")
read -ra training <<<"${TRAINING-}"
training=(--finetune --train-src "$calibration" --train-ref "${7-}" "${training[@]}" "${development[@]}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat "$dev_reference" "$test_reference" >"$work/reference"

quietly() { # command...: says what it printed only if it failed
  "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 3; }
}
evaluate() { # model file, name, set, source, reference
  quietly "$ltz" eval "$1" --src "$4" --ref "$5" -o "$work/$2.$3" --json="$work/$2.$3.json"
}
evaluate_both() { # model file, name
  evaluate "$1" "$2" dev "$dev_source" "$dev_reference"
  evaluate "$1" "$2" test "$test_source" "$test_reference"
  cat "$work/$2.dev" "$work/$2.test" >"$work/$2.both"
}
compress() { # name, options...
  local name=$1
  shift
  quietly /usr/bin/time -o "$work/$name.time" -f '{"seconds": %e, "kilobytes": %M}' "$ltz" compress "$model" \
    -o "$work/$name.ltz" --calibration "$calibration" --json="$work/$name.size.json" "$@"
}
rounding='def round(digits): . * pow(10; digits) | round / pow(10; digits);'

evaluate_against_original() { # name
  evaluate_both "$work/$1.ltz" "$1"
  quietly "$ltz" score --hyp "$work/$1.both" --compare "$work/original.both" --ref "$work/reference" \
    --bootstrap 1000 --json="$work/$1.score.json"
}
difference='def difference(c): "\(c.difference | round(2)) (\(c.low | round(2)) to \(c.high | round(2)))";'

preset_row() { # preset, or preset+finetune
  local options=()
  [ "$1" != paper ] || options=("${development[@]}")
  [[ $1 != *+finetune ]] || options=("${training[@]}")
  compress "$1" --preset "${1%+finetune}" "${options[@]}"
  evaluate_against_original "$1"
  jq -rn --arg name "$1" --slurpfile size "$work/$1.size.json" --slurpfile time "$work/$1.time" \
    --slurpfile score "$work/$1.score.json" --slurpfile dev "$work/$1.dev.json" --slurpfile test "$work/$1.test.json" \
    --slurpfile dev0 "$work/original.dev.json" --slurpfile test0 "$work/original.test.json" "$rounding $difference"'
    $size[0] as $s |
    "| \($name) | \($s.bits_per_weight | round(2)) | \($s.ratios.file | round(2))x | \($s.ratios.model | round(2))x | \($s.ratios.paper | round(2))x " +
    "| \($dev0[0].bleu | round(2)) -> \($dev[0].bleu | round(2)) | \($test0[0].bleu | round(2)) -> \($test[0].bleu | round(2)) " +
    "| \(difference($score[0].comparison)) " +
    "| \($dev0[0].nll | round(4)) -> \($dev[0].nll | round(4)) | \($time[0].seconds / 60 | round(1)) min | \($time[0].kilobytes / 1e6 | round(2)) GB |"'
}

# Both runs share what was measured of the model.
curve_run() { # name, bits per weight, options...
  printf 'preset = "max"\nbits_per_weight = %s\n' "$2" >"$work/recipe.toml"
  compress "$1" --recipe "$work/recipe.toml" --state "$work/state" "${@:3}"
  evaluate_against_original "$1"
  rm -f "$work"/state.training*
}
curve_row() { # bits per weight
  curve_run "plain-$1" "$1" "${development[@]}"
  curve_run "trained-$1" "$1" "${training[@]}"
  jq -rn --slurpfile size "$work/plain-$1.size.json" --slurpfile size1 "$work/trained-$1.size.json" \
    --slurpfile score "$work/plain-$1.score.json" --slurpfile score1 "$work/trained-$1.score.json" \
    --slurpfile dev "$work/plain-$1.dev.json" --slurpfile dev1 "$work/trained-$1.dev.json" \
    --slurpfile dev0 "$work/original.dev.json" --slurpfile time "$work/trained-$1.time" "$rounding $difference"'
    "| \($size[0].bits_per_weight | round(2)) | \(difference($score[0].comparison)) | \($dev[0].nll - $dev0[0].nll | round(4)) " +
    "| \($size1[0].bits_per_weight | round(2)) | \(difference($score1[0].comparison)) | \($dev1[0].nll - $dev0[0].nll | round(4)) " +
    "| \($time[0].seconds / 60 | round(1)) min |"'
}
curve_points() { # plain or trained: the differences of BLEU, with commas
  for bits in $curve; do
    jq '.comparison.difference * 100 | round / 100' "$work/$1-$bits.score.json"
  done | paste -sd, -
}
curve_chart() {
  cat <<CHART

\`\`\`mermaid
xychart-beta
  title "BLEU against the original: upper line with retraining, lower one without"
  x-axis "bits per weight" [${curve// /, }]
  y-axis "difference of BLEU, both sets"
  line [$(curve_points trained)]
  line [$(curve_points plain)]
\`\`\`
CHART
}

ablation_run() { # name, line of the recipe; all share what was measured of the model
  printf 'preset = "%s"\n%s\n' "$ablation" "$2" >"$work/recipe.toml"
  compress "$1" --recipe "$work/recipe.toml" --state "$work/state"
  evaluate "$work/$1.ltz" "$1" dev "$dev_source" "$dev_reference"
}
# More bits need less loss: ln(loss) falls by the slope between the preset and the same with half a
# bit more. The last column is what that slope makes of the difference in loss.
ablation_row() { # name
  jq -rn --arg name "$1" --slurpfile size "$work/$1.size.json" --slurpfile eval "$work/$1.dev.json" \
    --slurpfile size1 "$work/preset.size.json" --slurpfile eval1 "$work/preset.dev.json" \
    --slurpfile size2 "$work/more.size.json" --slurpfile eval2 "$work/more.dev.json" \
    --slurpfile before "$work/original.dev.json" "$rounding"'
    def loss(e): e[0].nll - $before[0].nll;
    (((loss($eval1) / loss($eval2)) | log) / ($size2[0].bits_per_weight - $size1[0].bits_per_weight)) as $slope |
    ($size[0].bits_per_weight + ((loss($eval) / loss($eval1)) | log) / $slope) as $bits |
    "| \($name) | \($size[0].bits_per_weight | round(2)) | \($eval[0].bleu | round(2)) | \(loss($eval) | round(4)) | \($bits | round(2)) |"'
}

evaluate_both "$model" original
if [ -n "$presets" ]; then
  echo "| preset | bits per weight | file | model | paper | dev BLEU | test BLEU | both, 95% | dev NLL | time | memory |"
  echo "|---|---|---|---|---|---|---|---|---|---|---|"
  for preset in $presets; do
    preset_row "$preset"
  done
fi
if [ -n "$curve" ]; then
  echo
  echo "| bits per weight | BLEU, both sets, 95% | dev NLL more than before | retrained: bits per weight | BLEU, both sets, 95% | dev NLL more than before | time |"
  echo "|---|---|---|---|---|---|---|"
  for bits in $curve; do
    curve_row "$bits"
  done
  curve_chart
fi
if [ -n "$ablation" ]; then
  echo
  echo "| $ablation | bits per weight | dev BLEU | dev NLL more than before | bits per weight at equal NLL |"
  echo "|---|---|---|---|---|"
  ablation_run preset ""
  bits=$(jq .bits_per_weight "$work/preset.size.json")
  ablation_run more "bits_per_weight = $(jq -n "$bits + 0.5")"
  ablation_row preset
  for technique in allocation error-feedback rates descent refit k-means-cells row-scales sequential \
    original-targets bias-correction; do
    ablation_run "without $technique" "without = [\"$technique\"]"
    ablation_row "without $technique"
  done
  ablation_run "with LayerNorm repair" 'layer_norm_repair = "same-variance"'
  ablation_row "with LayerNorm repair"
fi

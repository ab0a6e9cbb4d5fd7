#!/usr/bin/env bash
# real_models.sh LTZ: the trained models of the shared fixtures against the reference's outputs, and the
# paper's compression on the model that its 18.2x is about. Needs jq. Skips where there are no fixtures.
set -euo pipefail
ltz=$(readlink -f "$1")
fixtures=$(readlink -f "$(dirname "$0")/../../shared/fixtures" || true)
if [ ! -d "$fixtures" ]; then
  echo "skipped: the shared fixtures are not beside this folder"
  exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
passed=0
check() { # what, command...: the command must succeed
  local what=$1
  shift
  if "$@"; then
    echo "ok      $what"
    passed=$((passed + 1))
  else
    echo "FAILED  $what"
    failed=$((failed + 1))
  fi
}
near() { awk -v a="$1" -v b="$2" -v tolerance="$3" 'BEGIN { exit !(a - b <= tolerance && b - a <= tolerance) }'; }

# Translations and scores. The reference ran in padded batches, in which its encoder sees a little of the
# padding (README, Limits), so a few translations of a thousand differ.
reference() { # model, set, data, at most so many different translations
  local model=$1 set=$2 data=$fixtures/data/$3/$2 golden=$fixtures/golden/$1
  "$ltz" eval "$fixtures/models/$model/checkpoint.pt" --src "$data.en" --ref "$data.fr" -o "$work/hyp" \
    --json >"$work/eval.json"
  local bleu nll different
  bleu=$(jq .bleu "$work/eval.json")
  nll=$(jq .nll "$work/eval.json")
  different=$(diff --suppress-common-lines -y "$golden/$set.hyp" "$work/hyp" | wc -l || true)
  check "$model $set: BLEU $bleu" near "$bleu" "$(jq ".$set.bleu" "$golden/scores.json")" "$5"
  check "$model $set: NLL $nll" near "$nll" "$(jq ".$set.nll" "$golden/scores.json")" 0.0002
  check "$model $set: $different different translations" test "$different" -le "$4"
}
reference m30k-160 test_2016 m30k 6 0.02
reference enfr-496 test_2016 m30k 13 0.02
reference tatoeba-160 test tatoeba 5 0.2

# The paper's recipe on the paper's model.
model=$fixtures/models/enfr-496/checkpoint.pt
val=$fixtures/data/m30k/val
check "enfr-496: compress --preset paper" \
  "$ltz" compress "$model" -o "$work/enfr.ltz" --preset paper --src "$val.en" --ref "$val.fr" --min-ratio 18.2
check "enfr-496: verify" "$ltz" verify "$work/enfr.ltz" --reference "$model" --min-ratio paper=18.2
status=0
"$ltz" verify "$work/enfr.ltz" --reference "$model" --min-ratio paper=1000 >/dev/null || status=$?
check "enfr-496: an impossible limit exits with 1" test $status = 1

echo "$passed passed, $failed failed"
test $failed = 0

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

# Translations and scores. The reference ran in padded batches of 4,000 tokens, which change its encoder's
# output a little; with the same padding nearly every translation must be the same, without it most.
evaluate() { # model, set, data, options...
  local model=$1 data=$fixtures/data/$3/$2
  shift 3
  "$ltz" eval "$fixtures/models/$model/checkpoint.pt" --src "$data.en" --ref "$data.fr" -o "$work/hyp" --json "$@" \
    >"$work/eval.json"
}
compare() { # model, set, what, tolerances: BLEU, NLL, different translations of a thousand
  local golden=$fixtures/golden/$1 bleu nll different lines
  bleu=$(jq .bleu "$work/eval.json")
  nll=$(jq .nll "$work/eval.json")
  different=$(diff --suppress-common-lines -y "$golden/$2.hyp" "$work/hyp" | wc -l || true)
  lines=$(wc -l <"$golden/$2.hyp")
  check "$1 $2 $3: BLEU $bleu" near "$bleu" "$(jq ".$2.bleu" "$golden/scores.json")" "$4"
  check "$1 $2 $3: NLL $nll" near "$nll" "$(jq ".$2.nll" "$golden/scores.json")" "$5"
  check "$1 $2 $3: $different of $lines translations differ" test "$((different * 1000))" -le "$(($6 * lines))"
}
for set in "m30k-160 test_2016 m30k" "enfr-496 test_2016 m30k" "tatoeba-160 test tatoeba"; do
  read -r model name data <<<"$set"
  evaluate "$model" "$name" "$data" --padded-batches 4000
  compare "$model" "$name" "padded as the reference" 0.02 0.00002 1
done
evaluate m30k-160 test_2016 m30k
compare m30k-160 test_2016 "without padding" 0.02 0.0002 10

# The language model: its texts line by line, and as a stream in blocks of at most 128 tokens.
model=lm-lsra-192
perplexity() { # set, text, mode of golden, options...
  local set=$1 text=$2 expected=$3 nll
  shift 3
  nll=$("$ltz" eval "$fixtures/models/$model/checkpoint.pt" --text "$text" --json "$@" | jq .nll)
  check "$model $set $*: NLL $nll" near "$nll" "$(jq ".sets.$set$expected.nll" "$fixtures/golden/$model/scores.json")" 0.0001
}
for set in m30k_val m30k_test_2016 tatoeba_val tatoeba_test; do
  text=$fixtures/data/${set%%_*}/${set#*_}.en
  perplexity $set "$text" ""
  if [ $set != tatoeba_val ]; then # of this one the reference has no streams
    perplexity $set "$text" .none_tps128_cw0 --sample-break-mode none --tokens-per-sample 128
    for mode in none complete; do
      perplexity $set "$text" .${mode}_tps128_cw64 --sample-break-mode $mode --tokens-per-sample 128 --context-window 64
    done
  fi
done

# The paper's recipe on the paper's model.
model=$fixtures/models/enfr-496/checkpoint.pt
val=$fixtures/data/m30k/val
check "enfr-496: compress --preset paper" \
  "$ltz" compress "$model" -o "$work/enfr.ltz" --preset paper --src "$val.en" --ref "$val.fr" --min-ratio paper=18.2
check "enfr-496: verify" "$ltz" verify "$work/enfr.ltz" --reference "$model" --min-ratio paper=18.2
status=0
"$ltz" verify "$work/enfr.ltz" --reference "$model" --min-ratio paper=1000 >/dev/null || status=$?
check "enfr-496: an impossible limit exits with 1" test $status = 1

echo "$passed passed, $failed failed"
test $failed = 0

# A gate is never green by mistake.
model=$GOLDEN/iwslt-lightweight/checkpoint.pt
printf 'w42@@ w01 w32\nw32\nw59 w03@@ w01\nw44 w42@@ w02\n' >src
ltz translate $model --max-len-b 5 <src >ref 2>/dev/null
ltz quantize $model --bits 4 -o quantized.h5 2>/dev/null && ltz pack quantized.h5 -o m.ltz 2>/dev/null
ltz quantize $model --bits 2 -o small.h5 2>/dev/null && ltz pack small.h5 -o small.ltz 2>/dev/null
verify() { ltz verify m.ltz --reference $model --max-len-b 5 "$@"; }
text=(--src src --ref ref)

# A ratio says which one it is. That to Transformer base says little of a small model.
verify --min-ratio 18.2; echo "a bare ratio: $?"
verify --min-ratio paper=18.2 2>&1 | sed -n '/caution/,$p' | sed 's/[0-9.]* (limit/N (limit/'
verify --min-ratio paper=18.2 --baseline 1000000 | grep -c caution

# Nothing is checked: that is said.
verify; echo "no gate: $?"
verify --report-only --max-bytes 1; echo "both: $?"
verify --report-only >/dev/null; echo "only a report: $?"
ltz verify m.ltz --reference m.ltz ${text[@]} --max-bleu-drop 1; echo "its own reference: $?"
verify --max-growth 1%; echo "no previous: $?"
verify --max-growth 1 --previous small.ltz; echo "growth without a sign: $?"
verify --max-growth 1% --previous m.ltz; echo "its own previous: $?"
verify --max-nll-increase 1; echo "no text: $?"
verify ${text[@]} --max-bits 9 --confidence 95; echo "no BLEU: $?"

# Each kind of limit, kept and broken.
of() { grep -E '^gate' | sed -E 's/-?[0-9]+\.[0-9]+/N/g'; }
verify --max-bits 40 | of
verify --max-bits 1 | of
verify ${text[@]} --max-nll-increase 10 --max-bleu-drop 100 --min-bleu 0 | of
verify ${text[@]} --max-bleu-drop -100 --confidence 90 | of
ltz verify small.ltz --reference $model --previous m.ltz --max-growth 0% | of
verify --previous small.ltz --max-growth 10% --junit growth.xml | of; echo "growth: ${PIPESTATUS[0]}"
verify ${text[@]} --previous small.ltz --max-growth 10000% --json | jq -c '[.gates[].name], (.previous | keys)'
# Value and limit are printed with as many digits as it takes to tell them apart.
bits=$(verify --report-only --json | jq .bits_per_weight)
verify --max-bits $(jq -n "$bits - 0.0001") | grep -c "FAILED: max-bits \($(printf '%.4f' $bits)\|${bits:0:6}\)"

# What a report says, and what it says of an error.
verify --max-bytes 100 --junit report.xml >/dev/null; echo "failed: $?"
sed -E 's/(timestamp|hostname|time|value)="[^"]*"/\1=""/g; s/max-bytes [0-9]+ /max-bytes N /' report.xml
for broken in "--max-bytes x" "--reference none.pt --max-bytes 100"; do
  echo '<testsuite name="ltz verify" tests="1" failures="0"/>' >report.xml
  echo '{"passed": true}' >report.json
  ltz verify m.ltz $broken --junit report.xml --json=report.json 2>/dev/null; echo "$broken: $?"
  grep -c '<error' report.xml; jq -c keys report.json
done
# A run that was killed leaves no report of another run.
echo '{"passed": true}' >report.json
mkfifo pipe
ltz verify pipe --reference $model --max-bytes 100 --json=report.json &
sleep 0.5; kill -9 $!; wait $! 2>/dev/null; ls report.json 2>/dev/null

# Nothing is replaced but what is of the kind that is written.
cp m.ltz model.ltz
for arguments in "inspect m.ltz --json model.ltz" "inspect m.ltz --json=model.ltz" \
  "verify m.ltz --reference $model --max-bytes 1 --junit model.ltz" "pack quantized.h5 -o ref.ltz" \
  "eval $model --src src --ref ref --max-len-b 5 -o model.ltz" "prune $model --sparsity 0.1 -o text.h5"; do
  cp src ref.ltz; cp src text.h5
  ltz $arguments 2>&1 >/dev/null | sed "s|$GOLDEN|GOLDEN|"; echo "${PIPESTATUS[0]}"
done
cmp m.ltz model.ltz && cmp src ref.ltz && cmp src text.h5 && echo "nothing was lost"
ltz pack quantized.h5 -o ref.ltz --force 2>/dev/null && cmp m.ltz ref.ltz && echo "--force replaces"
ltz pack small.h5 -o ref.ltz 2>/dev/null && cmp small.ltz ref.ltz && echo "a model replaces a model"

# What was measured is not measured again, and never taken for that of something else.
gate=(${text[@]} --max-bleu-drop 100 --state state)
verify ${gate[@]} >first
sed -i 's/"bleu":\[\[\[[0-9]*,/"bleu":[[[0,/' state
verify ${gate[@]} | cmp -s - first || echo "taken from the state"
verify ${gate[@]} --beam 2 >/dev/null; grep -o '"model [^"]*"' state | wc -l
verify ${text[@]} --max-bleu-drop 100 --state src; echo "no state: $?"

# With --strict a failed gate leaves nothing behind, or what was there.
printf 'preset = "paper"\nbits = 4\nbits_per_weight = 6\n' >recipe.toml
compress() { ltz compress $model --recipe recipe.toml "$@" 2>&1 >/dev/null | tail -1; echo "${PIPESTATUS[0]}"; }
compress -o strict.ltz --strict --min-ratio file=1000; ls strict.ltz 2>/dev/null
cp m.ltz strict.ltz
compress -o strict.ltz --strict --min-ratio file=1000; cmp m.ltz strict.ltz && echo "it stays"
compress -o strict.ltz --strict
compress -o strict.ltz --strict --max-bits 7 >/dev/null; cmp -s m.ltz strict.ltz || echo "it is new"
# The file says what made it.
ltz inspect strict.ltz | sed -n '/^ltz/,/^$/p' | sed 's/[0-9a-f]\{16\}/FINGERPRINT/'
ltz compress $model -o preset.ltz >/dev/null 2>&1
ltz inspect preset.ltz --json | jq -c '.made | keys_unsorted, .preset'
ltz unpack preset.ltz -o preset.h5 && ltz pack preset.h5 -o again.ltz 2>/dev/null && cmp preset.ltz again.ltz && echo "carried on"

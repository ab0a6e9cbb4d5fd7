# A language model through every step: read, analysed, pruned, quantized, trained, compressed, verified.
models=$GOLDEN/language-models
model=$models/lsra-adaptive-tied/checkpoint.pt
words() { cut -d' ' -f1 $models/dict.txt | sed -n "$1"; }
paste -d' ' <(words 1,40p) <(words 41,80p) <(words 101,140p) <(words 201,240p) >text
head -12 text >dev
ltz convert $model --dict $models/dict.txt plain.h5
perplexity() { ltz verify $1 --reference plain.h5 --text text --report-only --json | jq "$2"; }
nll() { ltz pack $1 -o nll.ltz 2>/dev/null && perplexity nll.ltz .nll.artifact; }
less() { [ "$(jq -n "$(nll $1) < $(nll $2)")" = true ] && echo "$1: better on what it has read than $2"; }

# Containers, all with the same weights.
ltz convert plain.h5 plain.safetensors
ltz pack plain.h5 -o plain.ltz
ltz unpack plain.ltz -o unpacked.h5
ltz convert plain.safetensors again.h5
cmp plain.h5 again.h5 && cmp plain.h5 unpacked.h5 && echo "all containers: the same model"
for other in lsra-adaptive-tied-legacy lsra-adaptive-tied-averaged; do
  ltz convert $models/$other/checkpoint.pt --dict $models/dict.txt other.h5
  cmp plain.h5 other.h5 && echo "$other: the same model"
done

# Step by step.
ltz sensitivity plain.h5 --text text --sparsity 0.5 --bits 3 --by group -o curves.csv 2>/dev/null
grep -v '^#' curves.csv | cut -d, -f1 | sort -u
ltz prune plain.h5 --sparsity 0.5 -o pruned.h5
ltz quantize pruned.h5 --bits 3 --importance fisher --text text -o quantized.h5 2>/dev/null
train() { ltz finetune "$@" --text text --epochs 6 --batch-tokens 64 --learning-rate 0.01 2>/dev/null; }
train pruned.h5 -o trained.h5
train quantized.h5 --free-codes --teacher plain.h5 --distillation 0.5 --dev-text dev -o codes.h5
less trained.h5 pruned.h5
less codes.h5 quantized.h5
train pruned.h5 -o one.h5 --threads 1 && cmp one.h5 trained.h5 && echo "threads do not matter"

# In one go.
for preset in paper balanced max; do
  ltz compress plain.h5 -o $preset.ltz --preset $preset --text text --state state >report 2>/dev/null
  grep -cE '^NLL .* perplexity' report
  ltz compress plain.h5 -o again.ltz --preset $preset --text text --state state >/dev/null 2>&1
  cmp $preset.ltz again.ltz && echo "$preset: the same bytes from the state"
done
ltz compress plain.h5 -o retrained.ltz --preset max --finetune --train-text text --text dev --epochs 4 >/dev/null 2>&1
[ "$(jq -n "$(perplexity retrained.ltz .nll.artifact) < $(perplexity max.ltz .nll.artifact)")" = true ] &&
  echo "retrained: better on what it has read"
# Without a text, on what the model makes up.
ltz compress plain.h5 -o blind.ltz 2>&1 | grep "makes up"
ltz compress plain.h5 -o again.ltz --threads 1 >/dev/null 2>&1 && cmp blind.ltz again.ltz && echo "threads do not matter"
# The smallest that keeps the perplexity.
ltz compress plain.h5 -o kept.ltz --preset max --text text --max-ppl-increase 2% 2>log |
  grep -c "gate passed: max-ppl-increase"
grep -c "^trial 1: .* perplexity" log
[ $(stat -c %s kept.ltz) -lt $(stat -c %s plain.ltz) ] && echo "smaller"

# Gates.
verify() { ltz verify max.ltz --reference plain.h5 "$@"; }
of() { grep -E '^gate' | sed -E 's/-?[0-9]+\.[0-9]+/N/g'; }
verify --text text --max-ppl-increase 1000% --max-nll-increase 5 --max-bits 30 | of
verify --text text --max-nll-increase -1 --max-ppl-increase 90% | of; echo "likelihood: ${PIPESTATUS[0]}"
verify --text text --max-growth 900% --previous max.ltz; echo "its own previous: $?"
verify --text text --max-growth 900% --previous retrained.ltz | of
verify --text text --report-only --json | jq -c 'keys, (.perplexity | keys)'

# What it refuses.
verify --text text --max-bleu-drop 1; echo "BLEU: $?"
verify --text text --max-ppl-increase 1; echo "no sign: $?"
verify --max-ppl-increase 1%; echo "no text: $?"
verify --src text --ref text --max-nll-increase 1; echo "a source: $?"
ltz compress $GOLDEN/iwslt-lightweight/checkpoint.pt -o bad.ltz --text text; echo "no language model: $?"
ltz finetune plain.h5 -o bad.h5; echo "no text: $?"
ltz quantize plain.h5 --importance fisher -o bad.h5; echo "no text: $?"
ltz translate max.ltz <text; echo "it translates nothing: $?"
ls bad.* 2>&1

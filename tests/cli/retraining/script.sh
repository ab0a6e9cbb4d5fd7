# compress --finetune: training between the steps, on a text with references and on one without; what
# was interrupted goes on and ends in the same bytes.
model=$EXAMPLES/tatoeba-160/checkpoint.pt
head -60 $EXAMPLES/everyday.en >src
head -60 $EXAMPLES/everyday.fr >ref
cat >recipe.toml <<'TOML'
preset = "paper"
bits = 5
bits_per_weight = 3.6

[finetune]
epochs = 1.5
batch_tokens = 300
learning_rate = 1e-4
TOML
retrain() { ltz compress $model --recipe recipe.toml --train-src src --train-ref ref "$@"; }
ltz compress $model --recipe recipe.toml --dry-run 2>&1 | grep -E '^retraining|bits per weight'
retrain --dry-run --epochs 9 --minutes 30 2>&1 | grep '^retraining'
retrain -o whole.ltz --state state --json=whole.json 2>log >/dev/null; echo "done: $?"
grep -E '^retrain(ing|ed)' log | cut -d: -f1
jq '.bits_per_weight <= 3.6 and .bits_per_weight > 3.55' whole.json
ls state*
# Finished stages are not trained again.
retrain -o again.ltz --state state 2>&1 >/dev/null | grep going; cmp whole.ltz again.ltz && echo "from all"
rm state.training2
retrain -o again.ltz --state state 2>&1 >/dev/null | grep going; cmp whole.ltz again.ltz && echo "from the weights"
for seconds in 1 2 4; do
  timeout -s KILL $seconds ltz compress $model --recipe recipe.toml --train-src src --train-ref ref -o killed.ltz \
    --state killed >/dev/null 2>&1
done 2>/dev/null
retrain -o killed.ltz --state killed --threads 1 >/dev/null 2>&1; cmp whole.ltz killed.ltz && echo "from wherever it was"
retrain -o bad.ltz --state state --epochs 2 2>&1 | tail -1 | cut -c1-58; ls bad.ltz 2>/dev/null
# Codes are free in what is calibrated. Without references the model's own translations are learned,
# and they are made once.
model=$GOLDEN/wmt-dynamic-glu/checkpoint.pt
head -12 $GOLDEN/wmt-dynamic-glu/dict.src.txt | cut -d' ' -f1 >src
distill() {
  ltz compress $model --preset max --finetune --train-src src --epochs 2 --src src --ref src --max-len-b 5 "$@"
}
distill -o max.ltz --state max 2>&1 >/dev/null | grep -E '^(retraining|translating|calibr|update)' |
  sed 's/loss [0-9.]*/loss …/; s/NLL [0-9.]*/NLL …/; s/best [0-9.]*/best …/'
ltz compress $model --preset max --src src --ref src --max-len-b 5 -o plain.ltz >/dev/null 2>&1
cmp -s max.ltz plain.ltz || echo "other codes"
distill -o again.ltz --state max 2>&1 >/dev/null | grep -E '^(translating|going)'; cmp max.ltz again.ltz && echo "the same file"
rm max.training1
distill -o again.ltz --state max --threads 1 >/dev/null 2>&1; cmp max.ltz again.ltz && echo "the same file"
# A gate, not an aim.
distill -o gate.ltz --max-bleu-drop -100 2>/dev/null | grep -c 'gate FAILED'
cmp max.ltz gate.ltz && echo "the same file"
# What it refuses.
ltz compress $model --finetune -o bad.ltz; echo "no text: $?"
ltz compress $model --epochs 2 -o bad.ltz; echo "no training: $?"
ltz compress $model --finetune --train-ref src -o bad.ltz; echo "only references: $?"
ltz compress $model --finetune --train-src src --train-ref src --state src -o bad.ltz; echo "onto its input: $?"
for line in 'epoch = 3' 'epochs = 0.0' 'distillation = 2.0' 'free_codes = "yes"'; do
  printf '[finetune]\n%s\n' "$line" >wrong.toml
  ltz compress $model --recipe wrong.toml --train-src src -o bad.ltz; echo "$line: $?"
done
ls bad.ltz

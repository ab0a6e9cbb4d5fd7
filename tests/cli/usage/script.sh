# Usage errors exit with 2, help and version with 0.
ltz --version
ltz >/dev/null 2>&1; echo "no command: $?"
ltz frobnicate >/dev/null 2>&1; echo "unknown command: $?"
ltz inspect >/dev/null 2>&1; echo "missing argument: $?"
ltz verify a.ltz --reference b.pt --min-ratio size=3; echo "unknown ratio: $?"
ltz verify a.ltz --reference b.pt --min-ratio 18.2; echo "which ratio: $?"
ltz eval model.ltz --src a.txt >/dev/null 2>&1; echo "--src without --ref: $?"
ltz sensitivity m --src a --ref b -o c.csv --sparsity 0.9:0.1 >/dev/null 2>&1; echo "empty range: $?"
ltz prune m -o out.h5; echo "prune without a target: $?"
ltz frobnicate 2>&1 | head -1
ltz --frobnicate 2>&1 | head -1
ltz translate m --lenpen nan; echo "lenpen: $?"
ltz prune m --sparsity nan -o out.h5; echo "sparsity: $?"
ltz score --hyp a --ref b --seed -1; echo "seed: $?"
ltz verify m --reference m --min-bleu inf --src a --ref b; echo "min-bleu: $?"
ltz translate m --beam 4 --n-best 5; echo "n-best: $?"
ltz score --hyp a --ref b --rouge-stem; echo "rouge-stem: $?"
ltz score --hyp a --ref b --metric rouge --lowercase; echo "lowercase: $?"
ltz eval m --src a --ref b --metric rouge --smooth exp; echo "smooth: $?"
for command in inspect convert sensitivity prune quantize finetune pack unpack compress translate generate score eval verify bench help; do
  ltz $command --help | grep -q "Example" || echo "$command has no example"
  ltz $command --help | grep -nwE "TEXT|U?INT|FLOAT" # values have names of their own
done
ltz --help | sed -n 's/^  \([a-z]*\)  .*/\1/p'

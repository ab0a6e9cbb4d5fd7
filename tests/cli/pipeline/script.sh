# Every step on its own, chained through files.
model=$GOLDEN/iwslt-lightweight/checkpoint.pt
printf 'w42@@ w01 w32\nw32\nw59 w03@@ w01\nw44 w42@@ w02\n' >src
printf 'v50 v50 v31\nv41\nv10 v31\nv08 v25 v25\n' >ref
ltz convert $model model.h5 && echo converted
ltz sensitivity model.h5 --src src --ref ref --sparsity 0.2,0.6 --bits 4 -o curves.csv
head -5 curves.csv | cut -c1-16
grep -c sparsity, curves.csv
# An interrupted run goes on where it was, also after half a line.
{ head -40 curves.csv; printf 'decoder.layers.0.fc1.wei'; } >again.csv.partial
ltz sensitivity model.h5 --src src --ref ref --sparsity 0.2,0.6 --bits 4 -o again.csv
cmp curves.csv again.csv && echo "same curves"
ls again.csv.partial 2>/dev/null
ltz sensitivity model.h5 --src ref --ref src --sparsity 0.2 --bits 4 -o curves.csv; echo "other text: $?"
ltz sensitivity model.h5 --src src --ref ref --sparsity 0.2 --bits 4 --precision int8 -o curves.csv; echo "other precision: $?"
ltz sensitivity model.h5 --src src --ref ref --sparsity 0.2 --bits 4 --precision int8 -o bytes.csv
grep -o "precision int8" bytes.csv
ltz prune model.h5 --sensitivity curves.csv --sparsity 0.4 -o pruned.h5
ltz quantize pruned.h5 --bits 5 -o quantized.h5 && echo quantized
# Of equal weights no more are pruned than asked for.
ltz quantize model.h5 --bits 1 -o two_values.h5
ltz prune two_values.h5 --sparsity 0.05 -o few.h5
ltz inspect few.h5 --json | grep -A9 '"encoder.layers.0.fc1.weight"' | grep sparsity
ltz pack quantized.h5 -o model.ltz 2>&1 | cut -d: -f1
ltz unpack model.ltz -o unpacked.h5 && cmp quantized.h5 unpacked.h5 && echo "nothing lost"
ltz convert model.ltz decoded.h5 && ltz inspect decoded.h5 | grep -c float32
ltz eval model.ltz --src src --ref ref --max-len-b 5 --json | cut -d: -f1
ltz verify model.ltz --reference $model --src src --ref ref --max-len-b 5 --min-ratio model=2 --max-bytes 100000 \
  --json=verify.json --junit verify.xml >/dev/null; echo "verify: $?"
grep passed verify.json; grep -o '<test[a-z]* .*name="[^"]*"[^>]*>' verify.xml | sed -E 's/ (time|timestamp|hostname)="[^"]*"//g'
ltz verify model.ltz --reference $model --min-ratio model=1000 --junit verify.xml | tail -1 | cut -d' ' -f1-3
ltz verify model.ltz --reference $model --min-ratio model=1000 >/dev/null; echo "impossible limit: $?"
ltz verify model.ltz --reference $model --max-bleu-drop 1; echo "no test set: $?"
# The average of a model and itself is that model.
ltz convert $model $model average.h5 && cmp model.h5 average.h5 && echo "the average is the model"
ltz convert $model $GOLDEN/wmt-dynamic-glu/checkpoint.pt other.h5 2>&1 | sed 's/.*wmt/wmt/'
ls other.h5 2>/dev/null

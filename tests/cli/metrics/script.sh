# What eval and verify measure, on a model's own translations: nothing is lost.
model=$GOLDEN/iwslt-lightweight/checkpoint.pt
printf 'w42@@ w01 w32\nw32\nw59 w03@@ w01\nw44 w42@@ w02\n' >src
ltz translate $model --max-len-b 5 <src >own
ltz eval $model --src src --ref own --max-len-b 5 --bootstrap 50 | grep -v -E 'NLL|seconds|translated'
ltz eval $model --src src --ref own --max-len-b 5 --tokenize 13a --lowercase --smooth exp --compound-split | tail -1
ltz eval $model --src src --ref own --max-len-b 5 --precision int8 | tail -1
ltz eval $model --src src --ref own --max-len-b 5 --metric rouge --no-rouge-stem | grep ROUGE
ltz eval $model --src src --ref own --max-len-b 5 --metric chrf --lowercase --bootstrap 50 | grep -E 'chrF|mean'
ltz eval $model --src src --ref own --max-len-b 5 --metric rouge --json | grep '^  "' | cut -d: -f1
ltz pack $model -o packed.ltz 2>/dev/null
ltz verify packed.ltz --reference $model --report-only --src src --ref own --max-len-b 5 | grep BLEU
ltz verify packed.ltz --reference $model --report-only --src src --ref own --max-len-b 5 --bootstrap 0 | grep BLEU
ltz verify packed.ltz --reference $model --report-only --src src --ref own --max-len-b 5 --lowercase --json |
  sed -n '/"bleu"/,/}/p'

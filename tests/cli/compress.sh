# All in one go, with and without a development set; the same bytes for any number of threads.
model=$GOLDEN/wmt-dynamic-glu/checkpoint.pt
head -8 $GOLDEN/wmt-dynamic-glu/dict.src.txt | cut -d' ' -f1 >src
cp src ref
cat >recipe.toml <<'TOML'
preset = "paper"
bits = 4
bits_per_weight = 5.0
TOML
for threads in 1 2 3; do
  ltz compress $model -o $threads.ltz --recipe recipe.toml --src src --ref ref --max-len-b 5 --threads $threads \
    >/dev/null || echo failed
done 2>/dev/null
cmp 1.ltz 2.ltz && cmp 1.ltz 3.ltz && echo "threads do not matter"
ltz compress $model -o plain.ltz --recipe recipe.toml --json 2>/dev/null | grep -E '^  "'
ltz compress $model -o plain.ltz --recipe recipe.toml --min-ratio file=1000 >/dev/null 2>&1; echo "gate failed: $?"
ltz compress $model -o plain.ltz --recipe recipe.toml 2>/dev/null | cut -c1-24 | head -14
echo 'bitz = 3' >wrong.toml
ltz compress $model -o wrong.ltz --recipe wrong.toml; echo "unknown key: $?"
ls wrong.ltz 2>/dev/null

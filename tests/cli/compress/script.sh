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
ltz compress $model -o plain.ltz --recipe recipe.toml --json 2>/dev/null | grep -E '^  "' | cut -c1-25
ltz compress $model -o plain.ltz --recipe recipe.toml --min-ratio file=1000 >/dev/null 2>&1; echo "gate failed: $?"
ltz compress $model -o plain.ltz --recipe recipe.toml 2>/dev/null | cut -c1-24 | head -14
# The plan and nothing else.
ltz compress $model --recipe recipe.toml --dry-run 2>/dev/null | head -3 | cut -c1-72
ltz compress $model --recipe recipe.toml --dry-run -o none.ltz --json 2>/dev/null | cut -c1-25 | head -9
ls none.ltz 2>/dev/null
ltz compress $model --recipe recipe.toml; echo "no output: $?"
# Limits on sizes are aimed at.
for limit in file=6 model=8.5 paper=9000; do
  ltz compress $model -o plain.ltz --recipe recipe.toml --min-ratio $limit 2>/dev/null | grep -c 'gate passed'
done
ltz compress $model -o plain.ltz --recipe recipe.toml --max-bytes 24000 >/dev/null 2>&1; echo "--max-bytes: $?"
# A limit on BLEU is searched for: the model's own translations are its best ones.
ltz translate $model --max-len-b 5 <src >own
calibrated() {
  ltz compress $model --preset max --src src --ref own --max-len-b 5 --threads 1 "$@"
}
calibrated -o close.ltz --max-bleu-drop 5 >/dev/null 2>&1; echo "a small drop: $?"
calibrated -o far.ltz --max-bleu-drop 60 --state far.state 2>far.log >far.report; grep -c 'gate passed' far.report
trials=$(grep -c '^trial ' far.log); [ $trials -ge 2 ] && [ $trials -le 6 ] && echo "a few trials"
[ $(stat -c %s far.ltz) -lt $(stat -c %s close.ltz) ] && echo "a larger drop, a smaller file"
cp far.state best.state
calibrated -o best.ltz --max-bleu-drop -1 --state best.state 2>&1 >/dev/null | tail -1; ls best.ltz
# What was interrupted goes on and ends in the same bytes: after everything, after a trial, while
# sensitivity was measured.
calibrated -o again.ltz --max-bleu-drop 60 --state far.state >/dev/null 2>&1; cmp far.ltz again.ltz && echo "from all"
sed 's/,{"method".*/]}/' far.state >cut.state
calibrated -o again.ltz --max-bleu-drop 60 --state cut.state >/dev/null 2>&1
cmp far.ltz again.ltz && cmp far.state cut.state && echo "from a trial"
sed -E 's/"(encoder[^"]*fc1.weight|decoder.layers[^"]*)":[0-9.e-]*,//g; s/"trials":.*/"trials":[]}/' far.state >cut.state
calibrated -o again.ltz --max-bleu-drop 60 --state cut.state >/dev/null 2>&1
cmp far.ltz again.ltz && cmp far.state cut.state && echo "from half of the sensitivities"
ltz compress $model --dry-run --preset max --src own --ref src --max-len-b 5 --state far.state 2>&1 |
  sed 's/ [0-9a-f]\{16\}//g'
head -c 1000 far.state >cut.state
calibrated --dry-run --state cut.state 2>&1 | cut -c1-75
echo '{}' >no.state
calibrated --dry-run --state no.state 2>&1 | cut -c1-75
# A tensor that more care is taken of gets more bits.
cat >care.toml <<'TOML'
preset = "max"
[[tensor]]
pattern = "encoder.layers.0.fc1.weight"
care = 100
TOML
bytes() {
  ltz compress $model --dry-run --json --src src --ref own --max-len-b 5 --threads 1 --state far.state "$@" 2>/dev/null |
    grep -A5 encoder.layers.0.fc1.weight | sed -n 's/.*"bytes": //p'
}
[ $(bytes --recipe care.toml) -gt $(bytes --preset max) ] && echo "more bits"
echo 'bitz = 3' >wrong.toml
ltz compress $model -o wrong.ltz --recipe wrong.toml; echo "unknown key: $?"
wrong() { printf "$1" >wrong.toml; ltz compress $model -o wrong.ltz --recipe wrong.toml --state far.state; echo "$2: $?"; }
wrong 'preset = "max"\nbits = 4\n' "key of the other method"
wrong 'preset = "paper"\n[[tensor]]\npattern = "encoder.*"\ncare = 2.0\n' "care without calibration"
wrong 'bits = 4\n[[tensor]]\npattern = "encoder.layer.*"\nbits = 6\n' "pattern of no tensor"
wrong 'bits = 4\nbits = 5\n' "key twice"
wrong 'seed = 4\n' "seed of nothing"
ls wrong.ltz 2>/dev/null

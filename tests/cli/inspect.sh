# What a checkpoint is.
model=$GOLDEN/wmt-dynamic-glu/checkpoint.pt
ltz inspect $model --src-len 10 --tgt-len 20 | head -12
ltz inspect $model --json | grep -A 5 '"parameters"'
ltz inspect $model --json=report.json | head -2
grep -c '"name"' report.json

# Retraining: masks and codebooks stay, an interrupted run goes on, threads do not matter.
model=$GOLDEN/iwslt-lightweight/checkpoint.pt
head -12 $GOLDEN/iwslt-lightweight/dict.src.txt | cut -d' ' -f1 >src
tac src >ref
train() { ltz finetune "$@" --src src --ref ref --epochs 4 --batch-tokens 8 --learning-rate 0.01; }
nll() { ltz eval $1 --src src --ref ref --max-len-b 3 --json | jq .nll; }
ltz prune $model --sparsity 0.5 -o pruned.h5
ltz quantize pruned.h5 --bits 4 -o quantized.h5
train pruned.h5 -o trained.h5 2>/dev/null
train quantized.h5 -o codebooks.h5 2>/dev/null
train quantized.h5 --free-codes --teacher $model --distillation 0.5 -o codes.h5 2>/dev/null
for pair in "trained pruned" "codebooks quantized" "codes quantized"; do
  set -- $pair
  [ "$(jq -n "$(nll $1.h5) < $(nll $2.h5)")" = true ] && echo "$1: better on what it has read"
done
zeros() { ltz inspect $1 --json | jq -c '[.tensors[] | select(.name | endswith("fc1.weight")) | .sparsity]'; }
[ "$(zeros trained.h5)" = "$(zeros pruned.h5)" ] && echo "as many zeros as before"
ltz pack codes.h5 -o codes.ltz
train $model --sparsity 0.5 -o gradual.h5 2>/dev/null
[ "$(zeros gradual.h5)" = "$(zeros pruned.h5)" ] && echo "pruned as much while it was trained"
[ "$(jq -n "$(nll gradual.h5) < $(nll pruned.h5)")" = true ] && echo "gradual: better on what it has read"
# The same bytes for any number of threads, and after an interruption.
for threads in 1 2 3; do train pruned.h5 -o $threads.h5 --threads $threads 2>/dev/null; done
cmp 1.h5 2.h5 && cmp 1.h5 3.h5 && cmp 1.h5 trained.h5 && echo "threads do not matter"
train pruned.h5 --dev-src src --dev-ref ref -o whole.h5 --state state 2>&1 | cut -d: -f1
train pruned.h5 --dev-src src --dev-ref ref -o again.h5 --state state 2>&1 | cut -d: -f1
cmp whole.h5 again.h5 && echo "the same model"
# The highest BLEU instead of the lowest NLL.
train pruned.h5 --dev-src src --dev-ref ref --select bleu -o bleu.h5 --state bleu.state 2>&1 | grep -oE 'BLEU.*' | tail -1
another_selection() { train pruned.h5 --dev-src src --dev-ref ref "$@" --state bleu.state -o bad.h5 2>&1 | grep -c "another training"; }
echo "another selection: $(another_selection)"
# What it refuses.
train quantized.h5 --select bleu -o bad.h5 2>&1 | head -1
train quantized.h5 --state state -o bad.h5 2>&1 | sed -E 's/(model|text|development set) [0-9a-f]{16}/\1 …/g'
another() { train pruned.h5 "$@" --state state -o bad.h5 2>&1 | grep -c "another training"; }
echo "another teacher: $(another --dev-src src --dev-ref ref --teacher $model)"
echo "another development set: $(another --dev-src ref --dev-ref src)"
echo "another target: $(another --dev-src src --dev-ref ref --sparsity 0.6)"
train quantized.h5 --sparsity 0.5 -o bad.h5; echo "pruning codes: $?"
train pruned.h5 --distillation 0.5 -o bad.h5; echo "no teacher: $?"
train pruned.h5 --teacher $GOLDEN/wmt-dynamic-glu/checkpoint.pt --distillation 0.5 -o bad.h5; echo "another architecture: $?"
train pruned.h5 -o pruned.h5; echo "onto its input: $?"
ls bad.h5

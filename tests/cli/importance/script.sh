# K-means weighted with squared gradients: on references or on the model's own translations, the same
# bytes for any number of threads.
model=$GOLDEN/iwslt-lightweight/checkpoint.pt
head -12 $GOLDEN/iwslt-lightweight/dict.src.txt | cut -d' ' -f1 >src
tac src >ref
fisher() { ltz quantize $model --bits 3 --importance fisher --src src "$@" 2>/dev/null; }
for threads in 1 2 3; do fisher --ref ref -o $threads.h5 --threads $threads; done
cmp 1.h5 2.h5 && cmp 1.h5 3.h5 && echo "threads do not matter"
ltz quantize $model --bits 3 -o plain.h5
cmp -s plain.h5 1.h5 || echo "other codebooks than without"
fisher -o own.h5 && { cmp -s own.h5 1.h5 || echo "other gradients on its own translations"; }
fisher --ref ref --sentences 3 -o few.h5 && { cmp -s few.h5 1.h5 || echo "other gradients on fewer sentences"; }
# What it refuses.
ltz quantize $model --importance fisher -o bad.h5; echo "no text: $?"
ltz quantize $model --src src -o bad.h5; echo "a text for nothing: $?"
head -3 ref >short
ltz quantize $model --importance fisher --src src --ref short -o bad.h5; echo "unequal texts: $?"
fisher -o src; echo "onto its text: $?"
ls bad.h5

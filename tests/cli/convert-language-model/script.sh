# A language model through every container, and what it says when something does not fit.
models=$GOLDEN/language-models
cp $models/dict.txt .
for model in lsra-adaptive-tied lsra-adaptive-untied lightweight-nosoftmax-nopos vanilla-gpt-bos; do
  cp $models/$model/checkpoint.pt .  # dict.txt is beside it
  ltz convert checkpoint.pt 1.h5
  ltz convert 1.h5 2.safetensors
  ltz convert 2.safetensors 3.ltz
  ltz convert 3.ltz 4.h5
  ltz convert checkpoint.pt 5.ltz --dict $models/dict.txt
  cmp 1.h5 4.h5 && cmp 3.ltz 5.ltz && echo "$model: the same in all of them"
done
# What is tied is the same in every copy, so averages of them are, too.
ltz convert $models/lsra-adaptive-tied/checkpoint.pt once.h5 --dict dict.txt
ltz convert $models/lsra-adaptive-tied-averaged/checkpoint.pt averaged.h5 --dict dict.txt
ltz convert once.h5 averaged.h5 mean.h5
cmp once.h5 averaged.h5 && cmp once.h5 mean.h5 && echo "one model"
mkdir alone
cp $models/vanilla-gpt/checkpoint.pt alone
ltz convert alone/checkpoint.pt no.h5
echo "exit $?"
head -n 290 dict.txt >short.txt
ltz convert alone/checkpoint.pt no.h5 --dict short.txt
echo "exit $?"
ltz convert alone/checkpoint.pt no.h5 --dict dict.txt --source-dict dict.txt
echo "exit $?"
ltz convert once.h5 $GOLDEN/iwslt-lightweight/checkpoint.pt no.h5
echo "exit $?"
[ -e no.h5 ] || echo "nothing written"

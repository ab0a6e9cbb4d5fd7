# What a language model is: no encoder, one vocabulary, words in bands.
models=$GOLDEN/language-models
dict="--dict $models/dict.txt"
ltz inspect $models/lsra-adaptive-tied-narrow/checkpoint.pt $dict | head -14
ltz inspect $models/lsra-adaptive-untied/checkpoint.pt $dict | sed -n 2,9p
ltz inspect $models/vanilla-gpt/checkpoint.pt $dict --tgt-len 100 --device cortex-a72 | sed -n 1,18p
ltz inspect $models/lsra-adaptive-tied/checkpoint.pt $dict --json | sed '/"tensors"/q'
# Table 5 of the paper, with its baseline.
ltz inspect lite-transformer-wiki103 --baseline adaptive-inputs-wiki103 --tgt-len 1000 | head -16
# A translation model has no Mult-Adds to compare with.
ltz inspect lite-transformer-wiki103 --baseline transformer-base | sed -n 10,14p
# A language model reads no source.
ltz inspect lite-transformer-wiki103 --src-len 10
echo "exit $?"
ltz inspect $models/vanilla-gpt/checkpoint.pt
echo "exit $?"
ltz inspect $models/vanilla-gpt/checkpoint.pt $dict --source-dict $models/dict.txt
echo "exit $?"
# Without a vocabulary there are no bands.
printf 'arch: transformer_lm_multibranch_v2_wiki103_small\ndecoder-layers: 1\n' >model.yml
ltz inspect model.yml

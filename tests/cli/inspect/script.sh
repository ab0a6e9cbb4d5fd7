# What a checkpoint is.
model=$GOLDEN/wmt-dynamic-glu/checkpoint.pt
ltz inspect $model --src-len 10 --tgt-len 20 | head -12
ltz inspect $model --json | grep -A 7 '"parameters"'
ltz inspect $model --json=report.json | head -2
grep -c '"name"' report.json
# Hyper-parameters are enough: a preset of the paper, YAML as fairseq has it, JSON.
ltz inspect lite-transformer-wmt-496 --tgt-len 60 | head -9
ltz inspect lite-transformer-iwslt-160 --baseline transformer-base | sed -n 9,14p
# What the paper allows on a phone.
ltz inspect lite-transformer-wmt-496 --device cortex-a72 | sed -n 9,15p
ltz inspect $model --device cortex-a72 | sed -n 9,16p
ltz inspect $model --device cortex-a72 --json | sed -n '/"device"/,/loaded_bytes/p'
ltz inspect $model --device abacus
echo "exit $?"
cat >model.yml <<'YAML'
arch: transformer_multibranch_v2_wmt_en_de
encoder-branch-type: [attn:1:4:2, dynamic:default:4:2]
decoder-branch-type: [attn:1:4:2, dynamic:default:4:2]
conv-linear: true
encoder-embed-dim: 8
encoder-ffn-embed-dim: 8
encoder-layers: 1
decoder-layers: 1
encoder-kernel-size-list: [3]
decoder-kernel-size-list: [3]
YAML
ltz inspect model.yml
echo '{"arch": "transformer", "vocabulary_size": 100}' >model.json
ltz inspect model.json --json --baseline 44138496 | head -39
sed s/dynamic/dynamite/ model.yml >bad.yml
ltz inspect bad.yml
echo "exit $?"

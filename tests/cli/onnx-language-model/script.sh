# Export of language models to ONNX: what is written, what is refused. tests/onnx runs the graphs.
models=$GOLDEN/language-models
list() {
  (cd "$1" && wc -c * | sed 's/^ *//')
}
ltz convert $models/lsra-adaptive-tied/checkpoint.pt tied --dict $models/dict.txt --format onnx --golden 2 && list tied
ltz convert $models/lsra-adaptive-untied/checkpoint.pt untied --dict $models/dict.txt --format onnx --weights float16 --separate-tables && list untied
ltz convert $models/vanilla-gpt/checkpoint.pt fixed --dict $models/dict.txt --format onnx --static-shapes 2,1,30 --logits && ls fixed
ltz convert $models/lsra-adaptive-tied/checkpoint.pt new --dict $models/dict.txt --format onnx --logits
echo "exit $?"
ltz convert $models/vanilla-gpt/checkpoint.pt new --dict $models/dict.txt --format onnx --static-shapes 1,1,2000
echo "exit $?"
ls

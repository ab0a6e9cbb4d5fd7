# Export to ONNX: what is written, what is refused. tests/onnx runs the graphs.
model=$GOLDEN/iwslt-lightweight/checkpoint.pt
ltz quantize $model --bits 4 -o codes.h5
ltz pack codes.h5 -o codes.ltz 2>/dev/null
list() {
  (cd "$1" && wc -c * | sed 's/^ *//')
}
ltz convert $model float32 --format onnx --golden 1 && list float32
mkdir float16
ltz convert $model float16/ --format onnx --weights float16 && list float16
ltz convert codes.ltz codes --format onnx --weights codes --separate-tables && list codes
ltz convert codes.h5 again --format onnx --weights codes --separate-tables && diff -r codes again && echo "the same from .h5 and .ltz"
ltz convert $model fixed --format onnx --static-shapes 2,20,30 --logits --opset 17 && ls fixed
try() {
  ltz convert "$@" >/dev/null
  echo "exit $?: $*"
}
# Where something is already, nothing is written.
try $model float32 --format onnx
try $model codes.h5 --format onnx
try $model nowhere/onnx --format onnx
try $model - --format onnx
try $model new --format onnx --weights codes
try $model new --format onnx --static-shapes 1,2000,10
try $model new --format onnx --static-shapes 1,10,2000
try nowhere.pt new --format onnx
# Usage.
try $model new.h5 --weights float16
try $model new.h5 --golden 3
try $model new.h5 --static-shapes 1,2,3
try $model new --format tflite
try $model new --format onnx --weights int8
try $model new --format onnx --opset 12
try $model new --format onnx --static-shapes 1,2
try $model new --format onnx --static-shapes 0,2,3
try $model new --format onnx --golden -1
ls

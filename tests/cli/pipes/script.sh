# "-" as a model to read and to write: nothing but the model is on standard output, and no terminal gets one.
model=$GOLDEN/iwslt-lightweight/checkpoint.pt
ltz quantize $model --bits 4 -o q.h5
ltz prune $model --sparsity 0.5 -o p.h5 2>/dev/null
for container in ltz safetensors; do ltz unpack q.h5 -o q.$container; done
ltz quantize $model --bits 4 -o - | cmp - q.h5 && echo "quantize"
ltz prune $model --sparsity 0.5 -o - | cmp - p.h5 && echo "prune"
ltz convert $model - --to h5 | ltz quantize - --bits 4 -o - | ltz pack - -o - | cmp - q.ltz && echo "all in one pipe"
ltz unpack - -o - <q.ltz | cmp - q.h5 && echo "unpack"
ltz unpack - -o - --to safetensors <q.ltz | cmp - q.safetensors && echo "unpack as .safetensors"
ltz quantize $model --bits 4 -o /dev/stdout --to ltz | cmp - q.ltz && echo "quantize as .ltz"
printf 'w01 w02\n' >text
finetune="ltz finetune q.h5 --src text --ref text --epochs 1 --quiet"
$finetune -o f.h5 && $finetune -o - | cmp - f.h5 && echo "finetune"
ltz convert q.ltz floats.h5 && ltz convert - - --to h5 <q.ltz | cmp - floats.h5 && echo "convert"
ltz convert q.h5 other.name --to ltz && cmp other.name q.ltz && echo "a name that says nothing"
mkfifo pipe
cat pipe >copy & ltz convert q.h5 pipe --to ltz && wait && cmp copy q.ltz && echo "a named pipe"
try() {
  ltz "$@" | wc -c
  echo "${PIPESTATUS[0]}: ltz $*"
}
try convert q.h5 -
try convert q.h5 a.h5 --to ltz
try unpack q.ltz -o a.safetensors --to h5
try convert q.h5 - --to onnx
try convert q.h5 folder --to h5 --format onnx
try quantize q.h5 -o model
try quantize q.h5 -o /dev/full
try convert - - --to ltz </dev/null
ls
for command in "pack q.h5 -o -" "unpack q.ltz -o /dev/stdout" "convert q.h5 - --to ltz"; do
  script -qec "ltz $command 2>&1; echo \$?" /dev/null </dev/null | tr -d '\r'
done

# Bad input: one clear line, exit code 3, and everything stays as it was.
model=$GOLDEN/iwslt-lightweight/checkpoint.pt
cp $GOLDEN/iwslt-lightweight/{checkpoint.pt,dict.src.txt,dict.tgt.txt} .
ltz convert checkpoint.pt good.h5
ltz pack checkpoint.pt -o good.ltz 2>/dev/null
printf 'w01\nw02\n' >two
printf 'v01\n' >one
: >empty

try() { # what, command...
  echo "-- $1"
  echo "-- $1" >&2
  shift
  "$@" >/dev/null
  echo "exit $?"
}
flip() { # file, offset: the file with one bit of that byte flipped
  cp "$1" flipped
  byte=$(od -An -tu1 -j "$2" -N 1 "$1")
  printf "\\$(printf %o $((byte ^ 1)))" | dd of=flipped bs=1 seek="$2" conv=notrunc status=none
}

try "missing file" ltz inspect nowhere.pt
try "a folder" ltz inspect .
try "an empty file" ltz inspect empty
try "not a model" ltz inspect two
for kind in pt h5 ltz; do
  file=good.$kind
  [ $kind = pt ] && file=checkpoint.pt
  head -c 20000 $file >cut.$kind
  try "truncated .$kind" ltz inspect cut.$kind
done
flip good.ltz 3000
try "a flipped bit in a .ltz" ltz inspect flipped
cp dict.tgt.txt small.txt && sed -i '$d' small.txt
cp dict.tgt.txt large.txt && for i in 1 2 3 4 5 6 7 8 9; do echo "more$i 1" >>large.txt; done
try "a dictionary that does not match" ltz inspect checkpoint.pt --target-dict large.txt
try "no dictionary" ltz inspect checkpoint.pt --source-dict nowhere.txt
try "an empty text" ltz eval checkpoint.pt --src empty --ref empty
try "texts of different length" ltz eval checkpoint.pt --src two --ref one
try "translations of different length" ltz score --hyp two --ref one
try "output equal to input" ltz convert good.h5 good.h5
try "output equal to input by another name" ltz quantize good.h5 -o ./../run/good.h5
try "output of no known kind" ltz convert good.h5 model.onnx
try "a folder that is not there" ltz convert good.h5 nowhere/model.h5
mkdir folder.h5
try "a folder as output" ltz convert good.h5 folder.h5
try "a full disk" ltz pack good.h5 -o /dev/full
try "a full disk behind standard output" sh -c 'ltz inspect good.h5 >/dev/full'
try "an artifact that is none" ltz verify good.h5 --reference good.h5 --report-only
try "another model's artifact" ltz verify good.ltz --reference $GOLDEN/wmt-dynamic-glu/checkpoint.pt --report-only
cmp checkpoint.pt $model && ltz inspect good.h5 >/dev/null && ltz inspect good.ltz >/dev/null && echo "all as it was"
ls

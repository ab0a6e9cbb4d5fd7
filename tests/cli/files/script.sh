# No output is an input or another output, and what cannot be written is known at the start.
model=$GOLDEN/iwslt-lightweight/checkpoint.pt
cp $GOLDEN/iwslt-lightweight/{checkpoint.pt,dict.src.txt,dict.tgt.txt} .
ltz convert checkpoint.pt m.h5
ltz pack m.h5 -o m.ltz 2>/dev/null
printf 'w01\nw02\n' >src
cp src ref
cp src curves
md5sum * >../sums
try() {
  ltz "$@" >/dev/null
  echo "exit $?: $*"
}
try inspect m.h5 --json=m.h5
try inspect m.h5 --baseline m.ltz --json=m.ltz
try inspect checkpoint.pt --json=dict.src.txt
try inspect ./checkpoint.pt --target-dict ref --json=ref
try verify m.ltz --reference m.h5 --report-only --json=m.ltz
try verify m.ltz --reference m.h5 --report-only --junit m.h5
try verify m.ltz --reference m.h5 --report-only --json=new --junit ./new
try eval m.h5 --src src --ref ref -o ref
try eval m.h5 --src src --ref ref --json=src
try eval m.h5 --src src --ref ref -o - --json
try score --hyp src --ref ref --json=src
try score --hyp - --ref -
try sensitivity m.h5 --src src --ref ref -o ref
try prune m.h5 --sensitivity curves --sparsity 0.1 -o m.h5
try compress m.h5 -o m.ltz --src src --ref ref --sensitivity src
try compress m.h5 -o new.ltz --src src --ref ref --state ref
try compress m.h5 -o new.ltz --json=new.ltz
try compress m.h5 -o nowhere/new.ltz
try compress m.h5 -o new.h5
try compress m.h5 -o /dev/null
try pack m.h5 -o new.h5b
ltz pack m.h5 -o /dev/null 2>/dev/null && echo "to a device: written"
try convert nowhere.pt new.onnx
md5sum --quiet -c ../sums && echo "all as it was"
ls | tr '\n' ' '
echo
# The default baseline is no file, and a preset is none.
echo nonsense >transformer-base
ltz verify m.ltz --reference m.h5 --report-only --json | grep '"baseline": [0-9]'
ltz inspect transformer-base | head -1
ltz inspect ./transformer-base; echo "exit $?"
# Vocabulary files that nobody would read.
try inspect m.ltz --source-dict src
try translate m.h5 --bpe-codes src
try inspect lite-transformer-wmt-200 --target-dict src
ltz convert m.h5 m.safetensors
try inspect m.safetensors --target-dict src
# A limit on the size of files: nothing stays behind.
(ulimit -f 20 && ltz pack m.h5 -o large.ltz); echo "exit $?"
ls large.* 2>/dev/null
# Names of any bytes, on one line and in valid JSON.
ltz inspect $'no\e[31m\xffsuch\nfile\xc2\x9b.pt' 2>&1 | cut -c1-60
cp m.h5 $'\xff.h5'
ltz inspect m.h5 --baseline $'\xff.h5' --json | grep -c '"name": "�.h5"'
# Of a damaged .h5, the error is one line.
for offset in $(seq 50 4001 190000); do
  cp m.h5 flipped.h5
  printf '\x5a' | dd of=flipped.h5 bs=1 seek="$offset" conv=notrunc status=none
  ltz inspect flipped.h5 2>&1 >/dev/null | wc -l
done | sort -u | tail -1
# Libraries come from the system, whatever lies in the working directory.
mkdir hostile
cd hostile
ldd "$(command -v ltz)" | awk '{ print $1 }' | xargs -n 1 basename | xargs touch
ls | grep -c libhdf5
ltz --version | cut -d' ' -f1

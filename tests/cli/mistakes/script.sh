# What a new user gets wrong: the message says what was expected, what was found, and what may have been meant.
try() {
  ltz "$@" >out 2>err
  echo "$?: ltz $*"
  grep -v '^Run with' err | sed 's/^/   /'
}
# Commands and options
try
try quantise m
try squeeze m
try pack m --outptu o.ltz
try pack m --out o.ltz
try quantize m -bits 4 -o o.h5
try quantize m --nonsense 4 -o o.h5
try --threads 2 inspect m
try inspect m another
try help quantise
try help translate
# Numbers
try quantize m -o o.h5 --bits four
try quantize m -o o.h5 --bits 4.0
try quantize m -o o.h5 --bits 9
try quantize m -o o.h5 --bits 0x4
try quantize m -o o.h5 --bits 4 --bits 5
try quantize m -o o.h5 --iterations 99999999999
try quantize m -o o.h5 --seed 99999999999999999999
try finetune m -o o.h5 --src a --ref b --epochs 0
try finetune m -o o.h5 --src a --ref b --epochs two
try prune m -o o.h5 --sparsity 50
try prune m -o o.h5 --sparsity 50%
try prune m -o o.h5 --sparsity 0,5
try translate m --lenpen 1e999
try sensitivity m --src a --ref b -o c --bits 2:9
try sensitivity m --src a --ref b -o c --bits 2.5
try sensitivity m --src a --ref b -o c --sparsity 50
# Words
try quantize m -o o.h5 --init kmeans
try quantize m -o o.h5 --init simulated-annealing
try score --hyp a --ref b --tokenize 13
# Bytes
model=$GOLDEN/iwslt-lightweight/checkpoint.pt
ltz pack $model -o m.ltz 2>/dev/null
bytes=$(stat -c %s m.ltz)
gate() {
  ltz verify m.ltz --reference $model --max-bytes "$1" 2>err | grep '^gate'
  echo "${PIPESTATUS[0]}: --max-bytes $1"
  grep -v '^Run with' err | sed 's/^/   /'
}
for size in $bytes 0$bytes $((bytes - 1)) 1MB 1mb 1MiB 0.5GB 0.0001GiB 123.4567KB 1B; do
  gate $size
done
for size in 1M 1K 1.5 1.5.5MB 1,000 -1 -1KB MB 1e30GB nan 1TBX; do
  gate $size
done

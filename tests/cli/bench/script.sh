# Speeds differ from machine to machine; what is measured does not.
model=$GOLDEN/iwslt-lightweight/checkpoint.pt
printf 'w42@@ w01 w32\nw32\nw59 w03@@ w01\n' >src
printf 'w01 w02\nw03\nw04 w05\n' >ref
ltz bench $model --src src --ref ref --max-len-b 5 --runs 1 --threads 2 >report
head -1 report
sed -n 's/^\([A-Za-z].*[a-zA-Z0-9]\)  *\([12]\)  .*% of \([a-zA-Z]*\)$/\1, \2: \3/p' report
ltz bench $model --src src --ref ref --max-len-b 5 --runs 1 --threads 1 --json |
  grep -v -E '"(seconds|per_second|share_of_gemm|share_of_memory|gemm_flops|memory_bytes_per_second)"'
# Nothing that was measured is nothing.
ltz bench $model --src src --max-len-b 5 --runs 2 --threads 1 --json=bench.json >/dev/null
grep -c -E '"(seconds|per_second|share_of_gemm|share_of_memory|gemm_flops|memory_bytes_per_second)": [0-9.e+-]*[1-9]' bench.json
# A .ltz is decoded; without a text there is one of random words.
ltz pack $model -o packed.ltz 2>/dev/null
ltz bench packed.ltz --max-len-b 5 --runs 1 --threads 1 --json >packed.json
grep -E '"(decode|random_text|sentences)"' packed.json
ltz bench $model --ref ref >/dev/null 2>&1; echo "--ref without --src: $?"
ltz bench - <$model; echo "model from a pipe: $?"
ltz bench $model --src /dev/null; echo "empty text: $?"
# A language model reads, and foretells word by word.
model=$GOLDEN/language-models/lsra-adaptive-tied/checkpoint.pt
ltz convert $model --dict $GOLDEN/language-models/dict.txt lm.h5
printf 'the fafuro\nvefe the .\n' >text
ltz bench lm.h5 --text text --runs 1 --threads 1 >report
head -1 report
sed -n 's/^\([A-Za-z].*[a-zA-Z0-9]\)  *\([12]\)  .*% of \([a-zA-Z]*\)$/\1, \2: \3/p' report
ltz bench lm.h5 --runs 1 --threads 1 --json | jq -c '[keys, (.threads[0] | keys)]'
ltz bench lm.h5 --src src; echo "a source for a language model: $?"
ltz bench packed.ltz --text text; echo "a text for a translation model: $?"

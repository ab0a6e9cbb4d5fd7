# Text in, text out; these dictionaries need no byte-pair encoding.
model=$GOLDEN/iwslt-lightweight/checkpoint.pt
printf 'w42@@ w01 w32\nw32\n\nw59 w03@@ nonsense w01\n' >source
ltz translate $model --max-len-b 5 <source
ltz translate $model --max-len-b 5 --n-best 2 --threads 1 <source
ltz translate $model --max-len-b 5 --n-best 2 --threads 2 <source >two
ltz translate $model --max-len-b 5 --n-best 2 --threads 1 <source | cmp - two && echo "threads do not matter"
ltz translate $model --max-len-b 5 --scores --beam 1 --lenpen 1 <source | head -1
ltz translate $model </dev/null; echo "no line: $?"

# What a text may be: formats/PROMISES.md, "Texts".
model=$EXAMPLES/tatoeba-160/checkpoint.pt
echo 'I am tired .' >source
ltz translate $model <source >plain
cat plain
{ printf '\xef\xbb\xbf'; sed 's/$/\r/' source; } | ltz translate $model | cmp - plain && echo "a byte order mark and CR LF do not matter"
printf '\t I  am   tired . \u00a0' | ltz translate $model | cmp - plain && echo "nor do spaces and a missing end"
printf 'I am tired .\rI am tired .\r\n' | ltz translate $model | cmp - <(cat plain plain) && echo "CR ends a line"
printf 'I am\u2028tired .\n' | ltz translate $model | wc -l
# Without words there is nothing to translate; not even a shortest translation.
printf '\n \u3000\t\nI am tired .\n\n' | ltz translate $model --scores --min-len 2 | sed -E 's/(\.[0-9]{4})[0-9]*/\1/'
printf '\n' | ltz translate $model --n-best 3
# Without merges, words end at white space of any kind.
golden=$GOLDEN/wmt-dynamic-glu/checkpoint.pt
echo 'w00@@ w01 w02' | ltz translate $golden --no-bpe --max-len-b 5 >words
printf 'w00@@\u00a0w01\u3000\x1cw02\u2009\u0085\n' | ltz translate $golden --no-bpe --max-len-b 5 | cmp - words &&
  echo "white space of any kind"
# <pad> as a word is masked, but is there.
for text in 'w00@@ w01' '<pad> w00@@ w01' 'w00@@ <pad> w01' '<pad>'; do
  echo "$text" | ltz translate $golden --no-bpe --max-len-b 3 --scores | sed -E 's/(\.[0-9]{3})[0-9]*/\1/'
done
# One word of 200,000 letters is segmented at once, and refused for its length.
head -c 200000 /dev/zero | tr '\0' 'e' | timeout 5 ltz translate $model; echo "a long word: $?"
# A word that is not in the dictionary, whatever its bytes, is one of unknown subwords.
printf 'I am \xff\xfe\xc3 .\nI am \0 .\n' | ltz translate $model | wc -l
head -c 20000000 /dev/zero | tr '\0' x | ltz translate $model; echo "a line of 20 MB: $?"
{ cat source; head -c 20000000 /dev/zero; } | ltz translate $model | cmp - plain; echo "after another: ${PIPESTATUS[1]}"
# References, too.
{ printf '\xef\xbb\xbf'; sed 's/$/\r/' plain; } >reference
ltz eval $model --src source --ref reference | head -1
ltz score --hyp plain --ref reference | head -1

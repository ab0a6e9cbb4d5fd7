# What a text may be: formats/PROMISES.md, "Texts".
model=$EXAMPLES/tatoeba-160/checkpoint.pt
echo 'I am tired .' >source
ltz translate $model <source >plain
cat plain
{ printf '\xef\xbb\xbf'; sed 's/$/\r/' source; } | ltz translate $model | cmp - plain && echo "a byte order mark and CR LF do not matter"
printf ' I\tam   tired . ' | ltz translate $model | cmp - plain && echo "nor do spaces and a missing end"
printf '\n \n' | ltz translate $model --max-len-b 5 | wc -l
# A word that is not in the dictionary, whatever its bytes, is one of unknown subwords.
printf 'I am \xff\xfe\xc3 .\nI am \0 .\n' | ltz translate $model | wc -l
head -c 20000000 /dev/zero | tr '\0' x | ltz translate $model; echo "a line of 20 MB: $?"
{ cat source; head -c 20000000 /dev/zero; } | ltz translate $model | cmp - plain; echo "after another: ${PIPESTATUS[1]}"
# References, too.
{ printf '\xef\xbb\xbf'; sed 's/$/\r/' plain; } >reference
ltz eval $model --src source --ref reference | head -1
ltz score --hyp plain --ref reference | head -1

# Text in, text out; these dictionaries need no byte-pair encoding.
model=$GOLDEN/iwslt-lightweight/checkpoint.pt
printf 'w42@@ w01 w32\nw32\n\nw59 w03@@ nonsense w01\n' >source
ltz translate $model --max-len-b 5 <source
# Scores without their last digits, which depend on the processor's instructions.
rounded() { awk -F'\t' -v OFS='\t' '{ $2 = sprintf("%.3f", $2); print }'; }
ltz translate $model --max-len-b 5 --n-best 2 --threads 1 <source | rounded
ltz translate $model --max-len-b 5 --n-best 2 --threads 2 <source >two
ltz translate $model --max-len-b 5 --n-best 2 --threads 1 <source | cmp - two && echo "threads do not matter"
ltz translate $model --max-len-b 5 --scores --beam 1 --lenpen 1 <source | head -1 | rounded
ltz translate $model </dev/null; echo "no line: $?"
# An error names its line, after the translations of the lines before it.
{ cat source; yes w01 | head -2000 | tr '\n' ' '; echo; cat source; } >long_line
ltz translate $model --max-len-b 5 <long_line >before; echo "line too long: $?"
ltz translate $model --max-len-b 5 <source | cmp - before && echo "what was before it is there"
ltz translate $model --max-len-b 2 --n-best 6 <source | cut -f1 | uniq -c | tr -s ' '
# As the paper's code summarizes CNN/DailyMail: long outputs without a sequence of three twice.
ltz translate $model --beam 4 --lenpen 2.0 --min-len 55 --max-len-b 140 --no-repeat-ngram-size 3 <source >long
awk 'END { print NR " lines" } NF < 55 { print "too short: line " NR }' long
awk '{ delete seen; for (i = 3; i <= NF; ++i) if (seen[$(i-2), $(i-1), $i]++) print "repeats itself in line " NR }' long
ltz translate $model --min-len 55 --max-len-b 5 <source; echo "shortest above longest: $?"

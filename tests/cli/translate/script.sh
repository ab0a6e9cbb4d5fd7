# Text in, text out; these dictionaries need no byte-pair encoding.
model=$GOLDEN/iwslt-lightweight/checkpoint.pt
printf 'w42@@ w01 w32\nw32\n\nw59 w03@@ nonsense w01\n' >source
ltz translate $model --max-len-b 5 <source
# The last digits of a score depend on the processor.
rounded() { awk -F '\t' -v OFS='\t' '{ $2 = sprintf("%.3f", $2) } 1'; }
ltz translate $model --max-len-b 5 --n-best 2 --threads 1 <source | rounded
ltz translate $model --max-len-b 5 --n-best 2 --threads 2 <source >two
ltz translate $model --max-len-b 5 --n-best 2 --threads 1 <source | cmp - two && echo "threads do not matter"
ltz translate $model --max-len-b 5 --scores --beam 1 --lenpen 1 <source | head -1 | rounded
# Products of bytes are exact sums: these digits do not depend on the threads either.
ltz translate $model --max-len-b 5 --scores --precision int8 --threads 1 <source >one
ltz translate $model --max-len-b 5 --scores --precision int8 --threads 2 <source | cmp - one && echo "int8: threads do not matter"
ltz translate $model --max-len-b 5 --scores <source | cmp -s - one || echo "int8 is not float32"
ltz translate $model --precision bf16 <source; echo "precision: $?"
ltz translate $model </dev/null; echo "no line: $?"
# An error names its line, after the translations of the lines before it.
{ cat source; yes w01 | head -2000 | tr '\n' ' '; echo; cat source; } >long_line
ltz translate $model --max-len-b 5 <long_line >before; echo "line too long: $?"
ltz translate $model --max-len-b 5 <source | cmp - before && echo "what was before it is there"
ltz translate $model --max-len-b 2 --n-best 6 <source | cut -f1 | uniq -c | tr -s ' '
# As the paper's code summarizes CNN/DailyMail: long outputs without a sequence of three twice.
ltz translate $model --beam 4 --lenpen 2.0 --min-len 55 --max-len-b 140 --no-repeat-ngram-size 3 <source >long
awk 'END { print NR " lines" } NF < 55 && NF > 0 { print "too short: line " NR }' long
awk '{ delete seen; for (i = 3; i <= NF; ++i) if (seen[$(i-2), $(i-1), $i]++) print "repeats itself in line " NR }' long
ltz translate $model --min-len 55 --max-len-b 5 <source; echo "shortest above longest: $?"
# Whoever waits for a translation before writing the next line gets it.
coproc ltz translate $model --max-len-b 5
for word in w01 'w32 w42@@ w01'; do
  echo "$word" >&"${COPROC[1]}"
  read -r -t 300 answer <&"${COPROC[0]}" && echo "answered: $answer"
done
pid=$COPROC_PID input=${COPROC[1]}
exec {input}>&-
wait $pid; echo "end of input: $?"
# Many lines, read in pieces of any length; the last one has no end.
yes 'w42@@ w01 w32' | head -2500 | head -c -1 >many
ltz translate $model --max-len-b 2 <many | uniq -c | tr -s ' '
{ head -c 20000 many; sleep 0.1; tail -c +20001 many; } | ltz translate $model --max-len-b 2 | uniq -c | tr -s ' '
ltz translate $model <.; echo "a folder: $?"

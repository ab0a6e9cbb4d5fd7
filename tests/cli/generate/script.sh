# Language models go on from prompts: whole texts by beam search or at random, and next words.
models=$GOLDEN/language-models
model=$models/lsra-adaptive-tied/checkpoint.pt
generate() { ltz generate $model --dict $models/dict.txt "$@"; }
# The last digits depend on the processor.
rounded() { awk -F '\t' -v OFS='\t' '{ $2 = sprintf("%.3f", $2) } 1'; }
printf '\nthe\nsike kupita the\nunseenword vefe\n' >prompts
generate --max-len-b 8 <prompts
generate --max-len-b 8 --beam 1 <prompts
generate --max-len-b 8 --n-best 2 <prompts | rounded
generate --max-len-b 8 --scores --lenpen 0.5 <prompts | rounded
generate --max-len-b 8 --min-len 8 --no-repeat-ngram-size 1 <prompts | awk '{ print NF }'
generate --max-len-b 8 --precision int8 <prompts | wc -l
generate --max-len-b 8 --n-best 3 --threads 2 <prompts >two
generate --max-len-b 8 --n-best 3 --threads 1 <prompts | cmp - two && echo "threads do not matter"
# At random: reproducible by the seed, whatever the threads and the other lines.
generate --sample --max-len-b 8 --top-k 5 --seed 3 <prompts
generate --sample --max-len-b 12 --n-best 4 --seed 3 --threads 1 <prompts >one
generate --sample --max-len-b 12 --n-best 4 --seed 3 --threads 2 <prompts | cmp - one && echo "threads do not matter"
head -2 prompts | generate --sample --max-len-b 12 --n-best 4 --seed 3 | cmp - <(head -8 one) && echo "other lines do not matter"
generate --sample --max-len-b 12 --n-best 4 --seed 4 <prompts | cmp -s - one || echo "the seed matters"
generate --sample --max-len-b 8 --top-k 1 <prompts >likeliest
generate --max-len-b 8 --beam 1 <prompts | cmp - likeliest && echo "top-k 1 is greedy"
generate --sample --max-len-b 8 --top-p 0.0001 <prompts | cmp - likeliest && echo "a tiny top-p is greedy"
# An adaptive softmax has a temperature in each of its parts; where there is one alone, the lowest is greedy.
plain() { ltz generate $models/vanilla-gpt/checkpoint.pt --dict $models/dict.txt --max-len-b 8 "$@" <prompts; }
plain --sample --temperature 0.001 | cmp - <(plain --beam 1) && echo "a temperature near 0 is greedy"
# The likeliest next words.
generate --next 3 <prompts | rounded
generate --next 1000 <prompts | awk -F '\t' '{ sum[$1] += $2; ++words[$1] } END { for (i = 0; i < 4; ++i) printf "%d words, %.2f\n", words[i], sum[i] }'
# An empty text, and lines that cannot be worked on: those before them are answered.
generate </dev/null; echo "no line: $?"
{ cat prompts; echo 'the the the the the'; echo the; } | generate --max-len-b 4 --beam 1 >before; echo "prompt too long: $?"
wc -l <before
{ echo the; yes the | head -3000 | tr '\n' ' '; echo; } | generate --next 1 | cut -f1; echo "too long for the model: ${PIPESTATUS[1]}"
# Whoever waits for an answer before writing the next line gets it.
coproc generate --next 1
for prompt in the 'the vefe'; do
  echo "$prompt" >&"${COPROC[1]}"
  read -r -t 300 answer <&"${COPROC[0]}" && echo "answered: $(echo "$answer" | cut -f1)"
done
pid=$COPROC_PID input=${COPROC[1]}
exec {input}>&-
wait $pid; echo "end of input: $?"
# Options that have no effect, or no sense.
generate --next 3 --beam 2; echo "next and beam: $?"
generate --next 3 --scores; echo "next and scores: $?"
generate --next 3 --sample; echo "next and sample: $?"
generate --next 0; echo "no words: $?"
generate --sample --lenpen 2; echo "sample and lenpen: $?"
generate --top-k 3; echo "top-k without sample: $?"
generate --seed 3; echo "seed without sample: $?"
generate --sample --top-p 0; echo "top-p: $?"
generate --sample --top-p 1.1; echo "top-p: $?"
generate --sample --temperature 0; echo "temperature: $?"
generate --beam 2 --n-best 3; echo "n-best: $?"
ltz generate $GOLDEN/iwslt-lightweight/checkpoint.pt; echo "a translator: $?"
ltz translate $model --dict $models/dict.txt; echo "translate: $?"

# The perplexity of texts, cut in every way.
models=$GOLDEN/language-models
model=$models/lsra-adaptive-tied/checkpoint.pt
score() { ltz eval $model --dict $models/dict.txt --text "$@"; }
# The last digits depend on the processor, speed on everything.
rounded() { sed -E 's/([0-9]+\.[0-9]{3})[0-9]*/\1/g; s/[0-9]+ tokens a second/N tokens a second/; s/"(seconds|tokens_per_second)": [^,]*/"\1": N/; s/ltz\.[0-9.]+/ltz.VERSION/'; }
printf 'nu\nsike kupita\nsonu dipu nosuge zato\n\nDomago gesa pule bopuke zoso fore be@-@p\nunseenword the\n' >text
score text | rounded
score text --json | rounded
score - <text | rounded | head -1
for mode in none complete complete_doc eos; do
  score text --sample-break-mode $mode --tokens-per-sample 8 --context-window 2 | rounded
done
# Words are what they are; each of these has one token.
score text --remove-bpe | rounded
score text --remove-bpe --json | grep words
score text --precision int8 | tail -1 | rounded
# The threads change no digit, nor does it matter where the text comes from.
for i in $(seq 300); do cat text; done >long
score long --sample-break-mode none --tokens-per-sample 32 --context-window 5 --threads 1 --json | grep -v second >one
score long --sample-break-mode none --tokens-per-sample 32 --context-window 5 --threads 2 --json | grep -v second | cmp - one && echo "same with two threads"
score - --sample-break-mode none --tokens-per-sample 32 --context-window 5 --json <long | grep -v second | cmp - one && echo "same from a pipe"
score long --json=out.json | grep -c NLL && grep -c '"nll"' out.json
# <s> in front of a block does not count.
ltz eval $models/vanilla-gpt-bos/checkpoint.pt --dict $models/dict.txt --text text | rounded
# What does not go.
printf '' >empty
score empty; echo "empty: $?"
score nowhere; echo "no file: $?"
score .; echo "a folder: $?"
printf '\n\n' >blank
score blank --sample-break-mode complete_doc; echo "nothing but ends: $?"
{ yes the | head -3000 | tr '\n' ' '; echo; } >too_long
score too_long; echo "too long a line: $?"
cat too_long text | score - | rounded; echo "and others: ${PIPESTATUS[1]}"
score too_long --sample-break-mode none | rounded | tail -2
score text --tokens-per-sample 99999; echo "more than the model takes: $?"
score text --tokens-per-sample 8 --context-window 8; echo "nothing but context: $?"
score text --sample-break-mode lines; echo "mode: $?"
# Options of the other kind of model, and the other kind of text.
score text --beam 4; echo "beam: $?"
score text --metric chrf; echo "metric: $?"
score text -o out; echo "output: $?"
translator=$GOLDEN/iwslt-lightweight/checkpoint.pt
ltz eval $translator --src text --ref text --remove-bpe; echo "remove-bpe: $?"
ltz eval $translator --src text --ref text --context-window 8; echo "context: $?"
ltz eval $translator --text text; echo "a translator: $?"
ltz eval $model --dict $models/dict.txt --src text --ref text; echo "--src: $?"
ltz eval $model --dict $models/dict.txt; echo "no text: $?"
score text --src text --ref text; echo "both: $?"

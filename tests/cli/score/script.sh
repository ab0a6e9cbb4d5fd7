# BLEU as Moses' multi-bleu.perl prints it.
printf 'the cat sat on the mat\na dog\n' >hyp
printf 'the cat sat on the mat\na dog barked\n' >ref
ltz score --hyp hyp --ref ref
ltz score --hyp ref --ref ref --json
ltz score --hyp - --ref ref <hyp
# Case, compounds and smoothing.
printf 'The Well-Known Cat\n' >cased
printf 'the well-known cat\n' >lower
ltz score --hyp cased --ref lower
ltz score --hyp cased --ref lower --lowercase --smooth exp
ltz score --hyp cased --ref lower --lowercase --compound-split
# sacreBLEU's example, its line and its JSON; one and two references.
printf 'The dog bit the man.\nIt wasn'"'"'t surprising.\nThe man had just bitten him.\n' >system
printf 'The dog bit the man.\nIt was not unexpected.\nThe man bit him first.\n' >ref1
printf 'The dog had bit the man.\nNo one was surprised.\nThe man had bitten the dog.\n' >ref2
ltz score --sacrebleu --hyp system --ref ref1 --ref ref2
ltz score --sacrebleu --hyp system --ref ref1 --ref ref2 --tokenize none --json
ltz score --sacrebleu --hyp system --ref ref1 --lowercase --bootstrap 200
ltz score --sacrebleu --hyp system --ref ref1 --bootstrap 200 --seed 7 --json | grep -E '"(signature|confidence|bs|seed)'
# Another system on the same resamples; a system does not differ from itself.
ltz score --hyp system --compare system --ref ref1 --ref ref2 --smooth exp
ltz score --hyp ref2 --compare system --ref ref1 --smooth exp --bootstrap 100 --json | sed -n '/comparison/,$p' | cut -d: -f1
for threads in 1 2; do ltz score --hyp hyp --compare cased --ref ref; ltz score --hyp hyp --ref ref --bootstrap 50 --threads $threads; done
# chrF and chrF++, of the best reference of each sentence.
ltz score --hyp system --ref ref1 --metric chrf
ltz score --hyp system --ref ref1 --ref ref2 --metric chrf --chrf-word-order 2 --bootstrap 50
ltz score --hyp system --ref ref1 --metric chrf --sacrebleu --lowercase
ltz score --hyp system --ref ref1 --metric chrf --sacrebleu --json | tr -d '\n '; echo
ltz score --hyp system --compare ref2 --ref ref1 --metric chrf --json | cut -d: -f1
# Case: multi-bleu lowers A to Z, sacreBLEU all letters.
printf '\303\211t\303\251 \303\200 La Mer du Nord\n' >accents
printf '\303\251t\303\251 \303\240 la mer du nord\n' >plain
ltz score --hyp accents --ref plain --lowercase
ltz score --hyp accents --ref plain --lowercase --tokenize 13a
ltz score --hyp accents --ref plain --lowercase --sacrebleu --tokenize none
# An empty line among several references is a reference of no words.
printf 'one two three\n' >three && printf 'one two three four five six seven\n' >seven && echo >empty
ltz score --hyp three --ref empty --ref seven --sacrebleu
# ROUGE.
printf 'w1 w2 w6 w7 w8 . w1 w3 w8 w9 w5\ntesting one\n' >summary
printf 'w1 w2 w3 w4 w5\nTesting, one two\n' >target
ltz score --hyp summary --ref target --metric rouge
ltz score --hyp summary --ref target --metric rouge --json | tr -d '\n ' | cut -c1-80; echo
ltz score --hyp summary --ref target --metric rouge --bootstrap 100 --compare target | grep R-2
printf 'ponies\n' >many && printf 'pony\n' >one
ltz score --hyp many --ref one --metric rouge
ltz score --hyp many --ref one --metric rouge --no-rouge-stem
printf 'one two .. three four\n' >dots && printf 'three four .. one two\n' >turned
ltz score --hyp dots --ref turned --metric rouge
ltz score --hyp dots --ref turned --metric rouge --rouge-sentences token --json | grep signature
# What makes no sense.
ltz score --hyp system --ref ref1 --metric chrf --rouge-stem; echo "exit $?"
ltz score --hyp system --ref ref1 --chrf-word-order 1; echo "exit $?"
ltz score --hyp system --ref ref1 --ref ref2 --metric rouge; echo "exit $?"
ltz score --hyp system --ref ref1 --metric rouge --sacrebleu; echo "exit $?"
ltz score --hyp system --ref ref1 --ref lower; echo "exit $?"
ltz score --hyp system --ref ref1 --tokenize intl >/dev/null 2>&1; echo "exit $?"

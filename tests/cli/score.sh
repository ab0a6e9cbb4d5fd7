# BLEU as Moses' multi-bleu.perl prints it.
printf 'the cat sat on the mat\na dog\n' >hyp
printf 'the cat sat on the mat\na dog barked\n' >ref
ltz score --hyp hyp --ref ref
ltz score --hyp ref --ref ref --json
ltz score --hyp - --ref ref <hyp

# A SentencePiece model segments text and travels with the weights.
golden=$GOLDEN/sentencepiece
cp $GOLDEN/iwslt-lightweight/checkpoint.pt .
head -100 $golden/unigram.pieces | tr ' ' '\n' | grep -v '^$' | sort | uniq -c | sort -k1,1nr -k2 | awk '{print $2, $1}' >pieces
# More than half of the words begin with a space, so that they are known for pieces.
{ grep '^▁' pieces | head -35; grep -v '^▁' pieces; } >words
head -60 words >dict.src.txt
head -53 words >dict.tgt.txt
sed -n 5,9p $golden/lines.txt >text
sed -n 5,9p $golden/unigram.pieces >segmented

ltz translate checkpoint.pt <text; echo "no model: $?"
ltz translate checkpoint.pt --bpe sentencepiece <text; echo "no model: $?"
ltz translate checkpoint.pt --no-bpe --max-len-b 9 --scores <segmented | cut -f 1,2 >plain
run() { ltz translate "$@" --max-len-b 9 --scores <text; }
run checkpoint.pt --sentencepiece-model $golden/unigram.model | cut -f 1,2 | cmp - plain && echo "segmented as by its library"
run checkpoint.pt --sentencepiece-model $golden/unigram.model >own
grep -c '▁' own
cp $golden/unigram.model sentencepiece.bpe.model
run checkpoint.pt | cmp - own && echo "found beside it"
for name in m.h5 m.safetensors m.ltz; do
  ltz convert checkpoint.pt $name && run $name | cmp - own && echo "$name: the same"
done
ltz convert m.ltz again.h5 && cmp m.h5 again.h5 && echo "nothing lost"
ltz inspect m.ltz | grep vocabulary
ltz translate m.ltz --no-bpe --max-len-b 9 --scores <segmented | cut -f 1,2 | cmp - plain && echo "--no-bpe: the same"
ltz translate m.ltz --sentencepiece-model sentencepiece.bpe.model <text; echo "it has one: $?"
printf 'a b\n' >no.model
ltz translate checkpoint.pt --sentencepiece-model no.model <text; echo "not a model: $?"
ltz translate checkpoint.pt --bpe-codes no.model --sentencepiece-model no.model <text; echo "both: $?"
ltz translate checkpoint.pt --bpe spm <text; echo "unknown kind: $?"
printf 'a b 3\n' >fast.codes
ltz translate checkpoint.pt --bpe subword_nmt --bpe-codes fast.codes <text; echo "another kind: $?"

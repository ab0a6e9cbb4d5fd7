# Dictionaries and codes beside a checkpoint: formats/MODELS.md, "Dictionaries and codes".
source=$EXAMPLES/tatoeba-160
cp $source/{checkpoint.pt,dict.en.txt,dict.fr.txt} .
echo 'I am tired of whistling .' >text
ltz translate checkpoint.pt --bpe-codes $source/bpe.codes <text >plain
same() { ltz translate checkpoint.pt "${@:2}" <text | cmp - plain && echo "$1: the same"; }

# A dictionary of subwords without codes.
ltz translate checkpoint.pt <text; echo "no codes: $?"
ltz pack checkpoint.pt -o none.ltz; echo "no codes: $?"
ltz translate checkpoint.pt --no-bpe <text | cmp -s - plain || echo "--no-bpe: not the same"
ltz pack checkpoint.pt --no-bpe -o whole.ltz 2>/dev/null && ltz translate whole.ltz <text | cmp -s - plain || echo "for good"
ltz translate checkpoint.pt --no-bpe --bpe-codes $source/bpe.codes <text; echo "both: $?"

# Codes as people have them.
{ printf '\xef\xbb\xbf#version:0.2.0 \r\n'; tail -n +2 $source/bpe.codes | sed 's/$/ \r/'; printf '\n\n'; } >odd.codes
same "odd codes" --bpe-codes odd.codes
tail -n +2 $source/bpe.codes | awk '{print $1, $2, 5000 - NR}' >bpecodes
same "fastBPE's codes, found"
tail -n +2 $source/bpe.codes >unversioned
ltz translate checkpoint.pt --bpe-codes unversioned <text; echo "no version: $?"
printf '#version: 0.2\nx q\nq x</w>\nt h\nth e</w>\n' >foreign
ltz translate checkpoint.pt --bpe-codes foreign <text >/dev/null; echo "codes of another model: $?"
ltz pack checkpoint.pt --bpe-codes odd.codes -o model.ltz 2>/dev/null && ltz translate model.ltz <text | cmp - plain && echo "packed: the same"

# Dictionaries as people have them.
{ printf '\xef\xbb\xbf'; sed -E '2s/ ([0-9]+)$/ +\1/; 3s/ [0-9]+$/ -1/; 4s/ [0-9]+$/ 99999999999999999999999/; 5s/$/ \r/' dict.en.txt; echo; } >odd.txt
same "odd dictionary" --source-dict odd.txt
# A word that comes twice, one with a space, an empty one: texts get the last of two.
sed -E '4000s/^[^ ]+/new york/; 4001s/^[^ ]+//; 4002s/^.*/. 1/; 1s/^\. /, /' dict.en.txt >twice.txt
cp twice.txt twice.fr.txt
ltz pack checkpoint.pt --source-dict twice.txt --target-dict twice.fr.txt -o twice.ltz 2>/dev/null
ltz translate checkpoint.pt --source-dict twice.txt --target-dict twice.fr.txt <text >expected
for name in twice.h5 twice.safetensors; do
  ltz convert twice.ltz $name && ltz translate $name <text | cmp - expected && echo "$name: the same"
done
sed '7s/ [0-9]*$//' dict.en.txt >broken.txt
ltz translate checkpoint.pt --source-dict broken.txt <text; echo "no count: $?"

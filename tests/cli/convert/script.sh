# Through all containers and back: nothing is lost.
for fixture in iwslt-lightweight iwslt-lightweight-fp16 wmt-dynamic-glu prenorm-lightweight; do
  ltz convert $GOLDEN/$fixture/checkpoint.pt a.h5
  ltz convert a.h5 b.safetensors
  ltz convert b.safetensors c.ltz
  ltz convert c.ltz d.h5
  ltz convert c.ltz e.safetensors
  cmp a.h5 d.h5 && cmp b.safetensors e.safetensors && echo "$fixture: the same"
done
ltz inspect b.safetensors | grep encoder.layers.0.fc1 | tr -s ' '
ltz inspect b.safetensors --json | grep container
echo 'w42@@ w01 w32' | ltz translate b.safetensors --max-len-b 5 >from_safetensors
echo 'w42@@ w01 w32' | ltz translate a.h5 --max-len-b 5 | cmp - from_safetensors && echo "the same translation"
# Codebooks are written as floats.
ltz quantize b.safetensors --bits 4 -o q.h5
ltz convert q.h5 q.safetensors
ltz inspect q.safetensors | grep -c codebook
ltz convert q.h5 q.ltz && ltz convert q.ltz from_ltz.safetensors && cmp q.safetensors from_ltz.safetensors && echo "the same floats"
# A state_dict without ltz's metadata: fairseq's args are expected beside it.
printf '\x02\0\0\0\0\0\0\0{}' >state.safetensors
ltz inspect state.safetensors; echo "exit code: $?"
echo '{"arch": "transformer"}' >config.json
ltz inspect state.safetensors; echo "exit code: $?"
# Damaged files.
head -c 1000 b.safetensors >cut.safetensors
ltz inspect cut.safetensors 2>&1 | sed 's/expected [0-9]*/expected N/'; echo "exit code: ${PIPESTATUS[0]}"
{ cat b.safetensors; printf x; } >long.safetensors
ltz inspect long.safetensors; echo "exit code: $?"

# An empty or blank value is what a shell's variable without a value leaves: refused by every option and every
# positional argument of every command, whichever way it is written.
refused() { # command line
  "$@" >out 2>err </dev/null
  status=$?
  [ $status = 2 ] && [ ! -s out ] && grep -q 'is a variable of the shell not set' err && return
  echo "accepted, with exit code $status: $(printf '[%s] ' "$@")"
}
export OPENBLAS_NUM_THREADS=1 # starts faster
commands=$(ltz help | sed -n '/^Subcommands/,/^$/s/^  \([a-z]*\)  .*/\1/p')
options=0
for command in $commands; do
  for option in $(ltz help "$command" | grep -oE '^  (-[a-z],)?--[a-z-]+' | tr ',' '\n'); do
    options=$((options + 1))
    refused ltz "$command" "$option" ""
    case $option in --*) refused ltz "$command" "$option=" ;; esac
  done
  refused ltz "$command" "$option" " "
  refused ltz "$command" ""
  refused ltz "$command" first " "
done
[ "$options" -gt 200 ] && [ "$(echo "$commands" | wc -l)" -gt 14 ] || echo "found only $options options"
refused ltz ""
refused ltz inspect m --json "$(printf "\t \r")"
refused ltz --version=
refused ltz inspect -- ""
# The message names the option.
for words in '--max-bytes= m' '-o= m'; do
  ltz pack $words 2>&1 | head -1
done
ltz verify m --reference r --max-bytes "" 2>&1 | head -1
ltz inspect "" 2>&1 | head -1
# A variable without quotes: the next option is not the value.
ltz compress m --state $UNSET --dry-run 2>&1 | head -1
ltz verify m --reference r --max-bytes $UNSET --json 2>&1 | head -1
ltz translate m --beam 2>&1 | head -1
# Nor are parts of a value empty.
ltz sensitivity m --src a --ref b -o c --sparsity 0.1, 2>&1 | head -1
ltz sensitivity m --src a --ref b -o c --bits 2: 2>&1 | head -1
ltz convert m out --format onnx --static-shapes 1,,3 2>&1 | head -1
# In the environment, an empty variable is one that is not set.
NO_COLOR= TERM= ltz --version

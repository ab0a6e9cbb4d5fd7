# Files in other layouts than ltz's own are read by a process with limits. However it ends, that is an error of the file.
here=$(dirname "$0")
for name in unfolds needs_memory crashes hangs; do
  cp "$here/$name.h5" .
  ltz inspect $name.h5
  echo "$name: exit $?"
done

# Any number of threads, from the option or the environment, gives the same bytes, or is refused; none ends in a crash.
model=$GOLDEN/iwslt-lightweight/checkpoint.pt
printf 'w01 w02 w03\nw04\n' >text
ltz quantize $model -o expected.h5 --threads 1
ltz translate $model --threads 1 <text >expected
same() { # environment...
  env "$@" ltz quantize $model -o found.h5 ${THREADS:+--threads $THREADS} 2>>said && cmp expected.h5 found.h5 &&
    env "$@" ltz translate $model ${THREADS:+--threads $THREADS} <text 2>>said | cmp - expected && echo "same: $*"
}
for number in 1 3 300 100000 2147483647 99999999999999999999 0 -1 two 2,3; do
  same OMP_NUM_THREADS=$number
done
export THREADS=4
same OMP_THREAD_LIMIT=1
same OMP_THREAD_LIMIT=0
same OMP_DYNAMIC=true
same OMP_NESTED=true OMP_MAX_ACTIVE_LEVELS=9
for size in 1 16 64 1M 1000G 99999999999999999999 two; do
  same OMP_STACKSIZE=$size
done
(ulimit -s unlimited && same ulimit=unlimited)
grep -Eq '100000 threads are more than can be started here: [0-9]+ will do the work' said && echo "said that it is less"
for number in 0 -1 1025 100000 two 1.5; do
  ltz inspect $model --threads $number; echo "--threads $number: $?"
done

#!/usr/bin/env bash
# run.sh LTZ PRELOAD CORRUPTION: commands that write, while something fails: the Nth system call of a kind with an error
# (strace), the Nth read or write with half of the bytes and the Nth allocation (PRELOAD, see preload.cpp), a signal at any
# moment, another writer at once. Afterwards the output is what it was before or what an undisturbed run writes, byte by
# byte; exit code 0 means the latter; and the next run is not disturbed by what is left. Commands that keep what they have
# measured begin without an output, and the next run goes on to the same bytes. Then a .ltz is damaged and read
# (CORRUPTION, see corruption.cpp). Prints a table.
#   COMMANDS="NAME..."      of those below (all)
#   KILLS=N, ALLOCATIONS=N  signals and failing allocations of each command (42, 40)
#   DAMAGES=N, MODEL=F      damages (20000) of this .ltz (a small one)
#   QUICK=1                 errors of system calls for pack only, and none of openat, of which the loader makes most
set -uo pipefail
ltz=$(readlink -f "$1")
preload=$(readlink -f "$2")
corruption=$(readlink -f "$3")
golden=$(cd "$(dirname "$0")/../golden/iwslt-lightweight" && pwd)
export LC_ALL=C.UTF-8 OMP_NUM_THREADS=1 NO_COLOR=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 3
cut -d' ' -f1 "$golden/dict.src.txt" | head -6 >src
tac src >ref
"$ltz" convert "$golden/checkpoint.pt" m.h5 && "$ltz" pack m.h5 -o m.ltz 2>/dev/null || exit 3

# What is run; OUT stands for the output.
declare -A commands=(
  [convert]="convert m.ltz OUT.h5"
  [safetensors]="convert m.h5 OUT.safetensors"
  [prune]="prune m.h5 --sparsity 0.5 -o OUT.h5"
  [quantize]="quantize m.h5 --bits 3 -o OUT.h5"
  [pack]="pack m.h5 -o OUT.ltz"
  [unpack]="unpack m.ltz -o OUT.h5"
  [paper]="compress m.h5 --preset paper --src src --ref ref -o OUT.ltz"
  [compress]="compress m.h5 --preset max --calibration src --calibration-sentences 1 -o OUT.ltz"
  [finetune]="finetune m.h5 --src src --ref ref --epochs 1 --batch-tokens 8 -o OUT.h5"
  [sensitivity]="sensitivity m.h5 --src src --ref ref --sparsity 0.5 --bits 2 -o OUT.csv"
  [resumable]="compress m.h5 --preset max --calibration src --calibration-sentences 1 -o OUT.ltz --state OUT.state --sensitivity OUT.curves"
  [eval]="eval m.h5 --src src --ref ref --max-len-b 3 -o OUT.txt"
)
names=${COMMANDS:-${!commands[*]}}
goes_on() { [[ $name =~ ^(sensitivity|resumable)$ ]]; }
failures=0
wrong() { # what is wrong
  echo "$1" >&2
  failures=$((failures + 1))
}
# The command of $name with its output in the file $1; what comes before it, in $2...
start() {
  local -a words
  read -ra words <<<"${commands[$name]//OUT/${1%.*}}"
  shift
  # --force: what is there before is no model.
  "$@" "$ltz" "${words[@]}" --force >/dev/null 2>messages
}
prepare() { # sets $name, $output, and what is expected in $output.whole
  name=$1
  output=out$([[ ${commands[$name]} =~ OUT(\.[a-z0-9]+) ]] && echo "${BASH_REMATCH[1]}")
  rm -f whole.*
  start "whole${output#out}" || { cat messages >&2; wrong "$name does not run"; }
  rm -f out.*
}
# The old content is there before each run.
reset() {
  rm -f out.*
  goes_on || echo old >"$output"
}
judge() { # exit code, what was done
  if cmp -s "$output" "whole${output#out}"; then
    :
  elif [ "$1" = 0 ]; then
    wrong "$name, $2: exit 0 without its output"
  elif goes_on; then
    [ ! -e "$output" ] || wrong "$name, $2: exit $1 and a torn output"
  elif [ "$(cat "$output")" != old ]; then
    wrong "$name, $2: exit $1 and a torn output"
  fi
  # 3 is what ltz says, 127 what the loader does, 128 and more are signals, which only kills may cause. But nlohmann-json
  # allocates where it promises not to throw: the process then ends at once.
  if [ "$1" -gt 127 ] && [[ $2 != SIG* ]] && ! { [[ $2 = allocation* ]] && grep -q "what():  std::bad_alloc" messages; }; then
    wrong "$name, $2: exit $1: $(head -3 messages)"
  fi
  if [[ $2 != SIG* ]] && compgen -G "$output.tmp*" >/dev/null; then
    wrong "$name, $2: left $(compgen -G "$output.tmp*")"
  fi
  rm -f "$output".tmp*
  if goes_on; then
    start "$output" && cmp -s "$output" "whole${output#out}" || wrong "$name, $2: the next run does not go on: $(head -3 messages)"
  fi
}

faults() { # system call, errors...
  local call=$1 count=0 skipped total n error code
  shift
  for name in $([ -n "${QUICK:-}" ] && echo pack || echo "$names"); do
    prepare "$name"
    reset
    start "$output" strace -f --seccomp-bpf -qq -e "trace=openat,$call" -o trace
    total=$(grep -c "$call(" trace)
    # What the loader and libraries do before a command opens its input is the same for all.
    skipped=$([ "$name" = pack ] && echo 0 || awk -v call="$call(" '/"m\.(h5|ltz)"/ { exit } index($0, call) { ++calls } END { print calls + 0 }' trace)
    for error in "$@"; do
      for n in $(seq $((skipped + 1)) "$total"); do
        reset
        start "$output" strace -f --seccomp-bpf -qq -e "trace=$call" -e "inject=$call:error=$error:when=$n" -o trace
        code=$?
        judge $code "$call $n fails with $error"
        count=$((count + 1))
      done
    done
  done
  echo "| $call fails with $* | $count |"
}
halves() { # read or write
  local count=0 total n code
  for name in $names; do
    prepare "$name"
    reset
    start "$output" env LD_PRELOAD="$preload" FAULT="$1:0:count"
    total=$(awk '/^calls / { print $2 }' messages)
    for n in $(seq "$total"); do
      reset
      start "$output" env LD_PRELOAD="$preload" FAULT="$1:$n:short"
      code=$?
      judge $code "half a $1, number $n"
      [ $code = 0 ] || wrong "$name: half a $1, number $n, is an error"
      count=$((count + 1))
    done
  done
  echo "| half a $1 | $count |"
}
allocations() {
  local count=0 total n code
  for name in $names; do
    prepare "$name"
    reset
    start "$output" env LD_PRELOAD="$preload" FAULT=new:0:count
    total=$(awk '/^calls / { print $2 }' messages)
    for n in $(seq "${ALLOCATIONS:-40}" | awk -v total="$total" -v all="${ALLOCATIONS:-40}" \
      '{ print int(exp(log(total) * $1 / all)) }' | sort -nu); do
      reset
      start "$output" env LD_PRELOAD="$preload" FAULT="new:$n:fail"
      code=$?
      judge $code "allocation $n fails"
      count=$((count + 1))
    done
  done
  echo "| an allocation fails | $count |"
}
kills() { # signal
  local count=0 length pid code
  for name in $names; do
    prepare "$name"
    reset
    length=$(TIMEFORMAT=%R; { time start "$output"; } 2>&1)
    for _ in $(seq "${KILLS:-42}"); do
      reset
      start "$output" exec &
      pid=$!
      sleep "$(awk -v whole="$length" -v seed="$RANDOM" 'BEGIN { srand(seed); print rand() * whole * 1.1 }')"
      kill "-$1" $pid 2>/dev/null
      wait $pid 2>/dev/null
      code=$?
      judge $code "SIG$1"
      count=$((count + 1))
    done
    start "$output" || wrong "$name fails after SIG$1"
  done
  echo "| SIG$1 at any moment | $count |"
}
writers() {
  local count=0 pid
  for name in $names; do
    prepare "$name"
    reset
    start "$output" exec &
    pid=$!
    start "$output" || wrong "$name fails beside another writer"
    wait $pid || wrong "$name fails beside another writer"
    cmp -s "$output" "whole${output#out}" || wrong "$name: two writers, another output"
    count=$((count + 1))
  done
  echo "| two writers at once | $count |"
}
full_device() {
  local count=0 words
  for words in "translate m.h5 --max-len-b 3" "inspect m.h5" "inspect m.h5 --json" "score --hyp src --ref ref" \
    "eval m.h5 --src src --ref ref --max-len-b 3" "pack m.h5 -o /dev/full" "convert m.h5 -" "--help" "--version"; do
    # shellcheck disable=SC2086
    "$ltz" $words <src >/dev/full 2>messages && wrong "$words: a full device goes unnoticed"
    count=$((count + 1))
  done
  echo "| standard output is a full device | $count |"
}
damages() {
  local model=${MODEL:-m.ltz}
  "$corruption" "$model" "${DAMAGES:-20000}" >&2 || wrong "a damaged .ltz is read"
  echo "| damage to a .ltz of $(stat -L -c %s "$model") bytes | ${DAMAGES:-20000} |"
}

echo "| what goes wrong | times |"
echo "|---|---|"
if strace -qq -o trace true 2>/dev/null; then
  [ -n "${QUICK:-}" ] || faults openat EIO EINTR
  faults read EIO
  faults write ENOSPC
  faults fsync EIO
  faults rename EIO
  faults close EIO
else
  echo "strace does not work here: no errors of system calls" >&2
fi
halves read
halves write
allocations
kills KILL
kills TERM
kills INT
writers
full_device
damages
echo "$failures wrong" >&2
[ "$failures" = 0 ]

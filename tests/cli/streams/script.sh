# Descriptors that are closed, full or without a reader, and what terminals get.
model=$GOLDEN/iwslt-lightweight/checkpoint.pt
try() { # what, shell command
  echo "-- $1"
  (eval "$2")
  echo "exit $?"
}
# Standard error loses messages, and that is all.
try "an error, closed" 'ltz inspect nowhere.pt 2>&-'
try "an error, full" 'ltz inspect nowhere.pt 2>/dev/full'
mkfifo pipe
try "an error, no reader" '{ : <pipe & exec 2>pipe; wait; ltz inspect nowhere.pt; }'
try "usage, closed" 'ltz inspect --nonsense 2>&-'
try "usage, full" 'ltz inspect --nonsense 2>/dev/full'
try "usage, no reader" '{ : <pipe & exec 2>pipe; wait; ltz inspect --nonsense; }'
try "a failed gate, full" 'ltz pack $model -o m.ltz 2>/dev/full && ltz verify m.ltz --reference $model --max-bytes 1KB >/dev/null 2>/dev/full'
printf "w01 w02 w03\nw04 w05\n" >text
compress="ltz compress $model --preset balanced --calibration text"
$compress -o plain.ltz >/dev/null 2>messages
try "messages, closed" '$compress -o closed.ltz 2>&- >/dev/null'
try "messages, full" '$compress -o full.ltz 2>/dev/full >/dev/null'
try "messages, no reader" '{ : <pipe & exec 2>pipe; wait; $compress -o broken.ltz >/dev/null; }'
for file in closed full broken; do cmp plain.ltz $file.ltz && echo "same as with messages"; done
# Descriptors that are closed do not become those of models.
try "all closed" 'ltz convert $model a.h5 <&- >&- 2>&-'
ltz convert $model b.h5 && cmp a.h5 b.h5 && echo "same as with all open"
try "input closed" 'ltz inspect - <&-'
try "text closed" 'ltz translate $model <&-'
# Standard output has the result: not to get rid of it is an error.
try "output closed" 'ltz inspect $model >&-'
try "output full" 'ltz inspect $model >/dev/full'
try "help, output full" 'ltz help >/dev/full'
try "version, output closed" 'ltz --version >&-'
try "model, output closed" 'ltz pack $model -o - >&-'
ltz inspect $model | head -1
echo "ended by SIGPIPE: $((PIPESTATUS[0] == 141 || PIPESTATUS[0] == 0))"
# Without messages, errors stay.
try "quiet" 'ltz pack $model -o q.ltz --quiet'
try "quiet error" 'ltz inspect nowhere.pt --quiet'
# Bars and bold text: where a terminal is no dumb one.
on_terminal() { # environment and command
  script -qec "env $* 2>&1 </dev/null" /dev/null </dev/null | od -An -c | grep -q '033' && echo "control sequences: $*" || echo "none: $*"
}
export model
on_terminal TERM=xterm NO_COLOR= ltz inspect '$model'
on_terminal TERM=xterm NO_COLOR=1 ltz inspect '$model'
on_terminal TERM=dumb NO_COLOR= ltz inspect '$model'
on_terminal -u TERM NO_COLOR= ltz inspect '$model'
bar="ltz sensitivity \$model --src text --ref text --bits 8 --sparsity 0.5 --by tensor -o"
on_terminal TERM=xterm $bar 1.csv
on_terminal TERM=dumb $bar 2.csv
on_terminal TERM=xterm $bar 3.csv --no-progress
on_terminal TERM=xterm $bar 4.csv --quiet

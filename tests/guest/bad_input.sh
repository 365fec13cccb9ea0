#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Whatever is wrong with what a user gives, the answer is one line that says what, and
# exit status 2; and the guest has not run.
. "${PARAVANE_SRC:-.}/tests/tap.sh" || exit 1
. "$PARAVANE_SRC/tests/guest/guest.sh"
. "$PARAVANE_SRC/tests/guest/small.sh"
guest_needs
small_guest EXIT 0
cd "$tap_dir" || exit 1
good=$tap_dir/good.machine

# refused CLAIM TEXT ARGUMENT... - `paravane ARGUMENT...` fails with one line that has TEXT.
refused() {
    local claim=$1 wanted=$2 status lines
    shift 2
    timeout 60 "$PARAVANE" "$@" >out 2>err </dev/null
    status=$?
    lines=$(wc -l <err)
    if [ "$status" -eq 2 ] && [ "$lines" -eq 1 ] && [ ! -s out ] && grep -qF -- "$wanted" err; then
        tap_result 0 "$claim"
    else
        tap_result 1 "$claim" "status $status, $lines lines, $(wc -c <out) bytes of console" \
            "wanted: $wanted" "$(cat err)"
    fi
}

# machine TEXT - a machine file bad.machine with these lines, each ended by \n.
machine() { printf '%b' "$1" >bad.machine; }

printf '[machine]\nmemory = 64M\n[boot]\nkernel = EXIT.elf\n' >"$good"
tap_check "the machine file used below is good" "$PARAVANE" run "$good" --quiet

# --- the command line
refused "no command" "what shall I do"
refused "an unknown command" "unknown command walk" walk
refused "no machine file" "no machine file is given" run
refused "two machine files" "more than one machine file" run "$good" "$good"
refused "an unknown option" "unknown option --fast" run "$good" --fast
refused "an option without its value" "--seed needs a value" run "$good" --seed
refused "a bad seed" "--seed needs a number" run "$good" --seed 1x
refused "a bad limit" "--until needs insns=N" run "$good" --until tomorrow
refused "a bad virtual time" "vtime= needs a time" run "$good" --until vtime=5
refused "a bad number of runs" "--verify needs a number of runs" run "$good" --verify 0
refused "a recording without its file" "no trace file is given" record "$good"
for command in run record replay; do
    refused "what is wrong with $command is told with where its help is" "(see paravane help $command)" $command
    refused "also an option of $command that is unknown" "(see paravane help $command)" $command "$good" --fast
done
refused "a recording in a folder that is not there" "nowhere/x.trace: No such file" \
    record "$good" -o nowhere/x.trace
refused "a recording onto a full disk" "/dev/full: No space left" record "$good" -o /dev/full --quiet
refused "help on what there is not" "there is no command walking" help walking
refused "an unknown command that is two lines" 'unknown command a\x0ab' $'a\nb'
refused "a summary in a folder that is not there" "--summary nowhere/s.json: No such file" \
    run "$good" --summary nowhere/s.json
refused "a summary onto a folder" "$tap_dir: Is a directory" run "$good" --summary "$tap_dir"
refused "symbols of a file without any" "not an ELF file with a symbol table" \
    run "$good" --symbols "$good"

# --- machine files
refused "a missing machine file" "none.machine: No such file" run none.machine
refused "a folder as machine file" "$tap_dir: is a directory" run "$tap_dir"
refused "a binary as machine file" "EXIT.elf: not a text file" run EXIT.elf
: >bad.machine
refused "an empty machine file" "bad.machine: is empty" run bad.machine
truncate -s 2M bad.machine
refused "an oversized machine file" "bad.machine: is larger than the limit of 1M" run bad.machine
machine '[machine]\nspeed = 3\n'
refused "an unknown key" "bad.machine: [machine] speed: unknown key" run bad.machine
machine '[machine]\nmemroy = 1G\n'
refused "a misspelt key" 'did you mean "memory"?' run bad.machine
machine '[disk]\nsize = 1G\n'
refused "an unknown group" "bad.machine: [disk]: unknown group" run bad.machine
machine '[machine]\ncpus = 1\ncpus = 2\n'
refused "a key given twice" "bad.machine:3: [machine] cpus is given twice" run bad.machine
machine '[machine]\ncpus\n'
refused "a line that is nothing" "bad.machine:2: neither" run bad.machine
machine '[machine\nmemory = 64M\n'
refused "a group that is not closed" "bad.machine:1: neither" run bad.machine
machine '[boot]\ncmdline = a\\q\\\n'
refused "backslashes that mean nothing" "[boot] cmdline: a backslash" run bad.machine
machine '[boot]\nkernel = a\\nb\033[31m\n'
refused "a path that is two lines, or moves the cursor" 'a\x0ab\x1b[31m: No such file' run bad.machine
machine '[machine]\nmemory = 64M\n'
refused "no kernel" "[boot] kernel: missing" run bad.machine
refused "an unknown CPU model" "i386sx" run "$good" --set machine.cpu=i386sx

# --- numbers
refused "no RAM" "[machine] memory: 0 is not allowed: from 1M to 64G" run "$good" --set machine.memory=0
refused "too much RAM" "from 1M to 64G" run "$good" --set machine.memory=65G
refused "RAM that is not whole pages" "a multiple of 4K" run "$good" --set machine.memory=1048577
refused "RAM that is no number" "is not a number of bytes" run "$good" --set machine.memory=much
refused "more RAM than fits a number" "is not a number of bytes" \
    run "$good" --set machine.memory=99999999999999999999
refused "cpus = 9" "[machine] cpus: 9 is not allowed: from 1 to 8" run "$good" --set machine.cpus=9
refused "cpus = 0" "from 1 to 8" run "$good" --set machine.cpus=0
refused "cpus = -1" "is not a number" run "$good" --set machine.cpus=-1
refused "rubbish behind a number" "is not a number" run "$good" --set 'machine.cpus=2 or 3'
refused "a date that does not exist" "is not a date" run "$good" --set machine.date=2023-02-29T00:00:00Z
refused "a frequency of 0" "[timing] frequency" run "$good" --set timing.frequency=0
refused "a --set without a value" "not of the form GROUP.KEY=VALUE" run "$good" --set machine.cpus

# --- kernels
kernel() { refused "$1" "$2" run "$good" --set "boot.kernel=$3"; }
kernel "a missing kernel" "none: No such file" none
kernel "a folder as kernel" "is a directory" "$tap_dir"
kernel "a device as kernel" "is not a regular file" /dev/zero
: >k
kernel "an empty kernel" "k: is empty" k
echo 'hello, world' >k
kernel "a text as kernel" "not a Multiboot 1 kernel (no header in its first 8 KiB), nor an ELF file" k
kernel "an ELF file that is no kernel" "$PARAVANE: not a Multiboot 1 kernel" "$PARAVANE"
truncate -s 2G k
kernel "an oversized kernel" "is larger than the limit of 256M" k
rm -f k
size=$(stat -c %s EXIT.elf)
for bytes in 20 60 90 4100; do
    [ "$bytes" -lt "$size" ] || continue
    head -c "$bytes" EXIT.elf >k
    kernel "a kernel cut off after $bytes bytes" "k: " k
done
gzip -c EXIT.elf >k.gz
head -c $(($(stat -c %s k.gz) / 2)) k.gz >k
kernel "a compressed kernel cut off" "k: truncated gzip data" k
{ head -c 100 k.gz; printf 'xxxxxxxx'; tail -c +109 k.gz; } >k
kernel "a damaged compressed kernel" "gzip data" k
head -c 128M /dev/zero | gzip -1 >zeroes.gz
cat zeroes.gz zeroes.gz zeroes.gz >k
kernel "a kernel that decompresses to too much" "decompressed, larger than the limit of 256M" k
if [ "$(id -u)" -ne 0 ]; then
    cp EXIT.elf k && chmod 0 k
    kernel "an unreadable kernel" "k: Permission denied" k
    chmod 600 k
else
    tap_skip "an unreadable kernel" "root can read everything"
fi
rm -f k

# --- modules
module() { refused "$1" "$2" run "$good" --set "module.m.path=$3"; }
module "a missing module" "module m: none: No such file" none
module "a folder as module" "is a directory" "$tap_dir"
: >m
module "an empty module" "m: is empty" m
truncate -s 63M m
module "a module past the end of RAM" "the 1 modules need" m
truncate -s 65M m
module "a module larger than RAM" "m: is larger than the limit of 64M" m
refused "an archive of a file that is not there" "module m: none: No such file" \
    run "$good" --set archive.m.x=none
truncate -s 40M m
refused "an archive larger than RAM" "module m: m: with this file the archive has no room" \
    run "$good" --set archive.m.x=m --set archive.m.y=m
refused "a module without a path" "[module.m] path: missing" run "$good" --set module.m.cmdline=x
refused "a kernel past the end of RAM" "does not fit into RAM" \
    run "$good" --set machine.memory=1M
long=$(printf '%070000d' 0)
refused "command lines that are too long" "the command lines are too long" \
    run "$good" --set "boot.cmdline=$long"

# --- console scripts
script() { printf '%b' "$3" >s && refused "$1" "$2" run "$good" --console-script s; }
refused "a missing script" "none: No such file" run "$good" --console-script none
script "an unknown word in a script" "s:2: unknown word" 'send x\nhope for the best\n'
script "an unknown escape in a script" "s:1: unknown escape" 'send \\q\n'
script "a text that is missing" "s:1: a text is missing" 'expect\n'
script "a bad number in a script" "s:1: wait needs" 'wait long\n'

echo old >old.trace
echo 'hello, world' >k
refused "a recording of a bad kernel" "k: not a Multiboot 1 kernel" \
    record "$good" -o old.trace --set boot.kernel=k
tap_equal "a recording that did not start leaves what was at its place" old "$(cat old.trace)"
rm -f k

# --- outputs that end early; the guest has run
(ulimit -f 8; exec "$PARAVANE" record "$good" -o short.trace --set module.m.path="$PARAVANE" --quiet 2>err)
tap_equal "a recording larger than a file may be: the status" 2 $?
tap_check "a recording larger than a file may be: the message" grep -q "short.trace: File too large" err

(ulimit -f 0; exec "$PARAVANE" run "$good" --summary short.json --quiet 2>&1) | cat >err
tap_equal "a summary larger than a file may be: the status" 2 "${PIPESTATUS[0]}"
tap_check "a summary larger than a file may be: the message" grep -qx "paravane: --summary short.json: File too large" err
tap_equal "and nothing is left of it" "" "$(ls short.json* 2>/dev/null)"

# --- with --verify the same line, not one per run
refused "a bad machine under --verify" "from 1 to 8" run "$good" --verify 2 --set machine.cpus=9

tap_done

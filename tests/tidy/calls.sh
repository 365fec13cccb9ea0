#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Nothing from the host reaches the machine: no host time, no host randomness, no
# environment, no order that depends on host addresses.  Looks at sim, cpu, mmu.
. "${PARAVANE_SRC:-.}/tests/tap.sh" || exit 1
cd "$PARAVANE_SRC" || exit 1

# The code without comments and string literals, one `file:line:text` a line.
# Character literals are left as they are.
code() {
    find sim cpu mmu -name '*.[ch]' | LC_ALL=C sort | xargs perl -e '
        for my $file (@ARGV) {
            open my $in, "<", $file or die "$file: $!";
            local $/;
            my $text = <$in>;
            $text =~ s{("(?:[^"\\\n]|\\.)*")|(\x27(?:[^\x27\\\n]|\\.)*\x27)|(/\*.*?\*/)|(//[^\n]*)}{
                my $cut = $&;
                defined $2 ? $2 : defined $1 ? "\"\"" : join "", $cut =~ /\n/g
            }gse;
            my $line = 0;
            print "$file:", ++$line, ":$_\n" for split /\n/, $text, -1;
        }'
}
code >"$tap_dir/code"

# forbid WHAT REGEX - no call that matches
forbid() {
    tap_empty "no $1 in sim, cpu, mmu" "$(grep -E "(^|[^A-Za-z0-9_>.])($2)[ ]*\(" "$tap_dir/code")"
}

forbid "host clock" 'time|clock|clock_gettime|clock_getres|timespec_get|ftime|localtime|localtime_r|mktime'
forbid "GLib clock" 'g_get_real_time|g_get_monotonic_time|g_get_current_time|g_date_time_new_now[a-z_]*|g_timer_[a-z]+'
forbid "host randomness" 'rand|srand|rand_r|random|srandom|drand48|getrandom|getentropy|arc4random[a-z_]*|g_random_[a-z_]+|g_rand_[a-z_]+'
forbid "environment" 'getenv|secure_getenv|setenv|putenv|g_getenv|g_setenv|g_get_environ|g_listenv'
# A process may read its own memory carefully: process_vm_readv(getpid(), ...).
sed -i 's/process_vm_readv(getpid()/process_vm_readv(self/' "$tap_dir/code"
forbid "identity of the host" 'getpid|gettid|gethostname|uname|sysconf|sched_getcpu|g_get_host_name|g_get_num_processors'
forbid "sleep" 'sleep|usleep|nanosleep|g_usleep'
forbid "iteration over a hash table" 'g_hash_table_iter_init|g_hash_table_foreach[a-z_]*|g_hash_table_get_keys[a-z_]*|g_hash_table_get_values[a-z_]*'

# Unicorn reads the host clock for its own use; one file of cpu/ replaces that
# function by a constant one, which is a definition and not a use.
tap_empty "no gettimeofday in sim, mmu" "$(grep -E '^(sim|mmu)/.*gettimeofday' "$tap_dir/code")"
tap_empty "gettimeofday in cpu is only its own replacement" \
    "$(grep -E '^cpu/.*gettimeofday' "$tap_dir/code" | grep -vE ':[0-9]+:(int )?gettimeofday\([^;]*\)?;?$')"
tap_result $(($(grep -lE '(^|[^A-Za-z0-9_])gettimeofday *\(' cpu/*.c 2>/dev/null | wc -l) > 1)) \
    "at most one file replaces gettimeofday"

tap_done

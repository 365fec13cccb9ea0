#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What the demonstration runs in dom0: who am I, a load of processes and pipes,
# one process per CPU, a sleep.
run() { echo "+ $*"; "$@"; }

run uname -a
run cat /sys/hypervisor/properties/capabilities
echo "+ Xen version"
echo "$(cat /sys/hypervisor/version/major).$(cat /sys/hypervisor/version/minor)$(cat /sys/hypervisor/version/extra)"

echo "+ 20 processes through a pipe, each a sha256sum"
i=0
while [ $i -lt 20 ]; do
    i=$((i + 1))
    seq 1 200 | sed "s/^/$i:/" | sha256sum
done | sort | sha256sum

cpus=$(nproc)
echo "+ one load on each of $cpus CPUs"
cpu=0
while [ $cpu -lt "$cpus" ]; do
    taskset -c $cpu sh -c '
        sum=$(dd if=/dev/zero bs=64k count=8 2>/dev/null | sha256sum | cut -c 1-16)
        echo "load $0 on CPU $(cut -d " " -f 39 /proc/self/stat): $sum"' $cpu &
    cpu=$((cpu + 1))
done
wait

run sleep 1
echo 'paravane: demo done'

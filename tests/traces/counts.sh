# SPDX-License-Identifier: GPL-2.0-or-later
# Events of each kind, as "KIND COUNT" lines, by several readers.  Source it.

# counts_dump FILE - of a trace, by the lines of `trace dump` for each kind
counts_dump() {
    local kind count
    for kind in $("$PARAVANE" trace info --json "$1" | jq -r '.kinds[]'); do
        count=$("$PARAVANE" trace dump "$1" --kind "$kind" | wc -l)
        [ "$count" -eq 0 ] || echo "$kind $count"
    done | LC_ALL=C sort
}

# counts_json FILE - of JSON lines
counts_json() { jq -r .kind "$1" | LC_ALL=C sort | uniq -c | awk '{ print $2, $1 }'; }

# counts_ctf FOLDER - by babeltrace2, which names each event after its time
counts_ctf() {
    babeltrace2 --no-delta "$1" | sed -n 's/^\[[0-9:.]*\] \([a-z0-9_]*\): .*/\1/p' |
        LC_ALL=C sort | uniq -c | awk '{ print $2, $1 }'
}

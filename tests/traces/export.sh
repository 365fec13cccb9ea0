#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# paravane trace export: three formats, read back by readers that are not ours, hold the same
# events: babeltrace2 (CTF), jq (JSON lines), and a walker of the protobuf wire format.
. "${PARAVANE_SRC:-.}/tests/tap.sh" || exit 1
. "$PARAVANE_SRC/tests/traces/counts.sh"
sample=$PARAVANE_BUILD/tests/traces/sample
file=$tap_dir/sample.pvt
"$sample" "$file" 6000 || exit 1

export_to() { "$PARAVANE" trace export "$file" --format "$1" -o "$2" "${@:3}" 2>/dev/null; }

counts_dump "$file" >"$tap_dir/counts.dump"
tap_equal "the sample holds every kind" "$("$PARAVANE" trace info --json "$file" | jq '.kinds | length')" \
    "$(wc -l <"$tap_dir/counts.dump")"

tap_check "export to JSON lines" export_to json "$tap_dir/x.json"
tap_check "JSON holds the events that dump shows" \
    diff "$tap_dir/counts.dump" <(counts_json "$tap_dir/x.json")
tap_equal "each JSON event has its number" "$(seq 0 5999)" "$(jq .number "$tap_dir/x.json")"
tap_check "export to Perfetto" export_to perfetto "$tap_dir/x.pftrace"
tap_check "Perfetto holds the same" \
    diff "$tap_dir/counts.dump" <("$PARAVANE_SRC/tests/traces/perfetto-walk" "$tap_dir/x.pftrace")
tap_check "export to CTF" export_to ctf "$tap_dir/x.ctf"
if command -v babeltrace2 >/dev/null 2>&1; then
    tap_check "CTF holds the same" \
        diff "$tap_dir/counts.dump" <(counts_ctf "$tap_dir/x.ctf" 2>"$tap_dir/warnings")
    tap_empty "babeltrace2 has nothing to say about it" "$(cat "$tap_dir/warnings")"
    # Hypercalls have blobs: compare one field of each event in two formats.
    tap_check "results are the same in CTF and JSON" diff \
        <(babeltrace2 "$tap_dir/x.ctf" | grep '] ([^)]*) hypercall: \|] hypercall: ' |
            sed 's/.*{ number = \([0-9]*\),.* result = \(-*[0-9]*\),.*/\1 \2/' | sort -n) \
        <(jq -r 'select(.kind == "hypercall") | "\(.number) \(.fields.result)"' "$tap_dir/x.json")
else
    tap_skip "CTF holds the same" "no babeltrace2"
    tap_skip "babeltrace2 has nothing to say about it" "no babeltrace2"
    tap_skip "results are the same in CTF and JSON" "no babeltrace2"
fi
export_to json "$tap_dir/again.json"
tap_check "the same again is the same bytes" cmp "$tap_dir/x.json" "$tap_dir/again.json"
tap_equal "filters hold for exports" "$("$PARAVANE" trace dump "$file" --kind pin --domain d1 | wc -l)" \
    "$(export_to json - --kind pin --domain d1 | wc -l)"
tap_check "a reader that has seen enough is no error" \
    bash -c "set -o pipefail; '$PARAVANE' trace export '$file' --format json -o - | head -1 >/dev/null"

refuses() {
    local claim=$1 wanted=$2 output status
    shift 2
    output=$("$PARAVANE" trace export "$@" 2>&1)
    status=$?
    tap_equal "$claim" "2: paravane: $wanted" "$status: $output"
}
refuses "an unknown format is refused" 'there is no format "xml"; there are json, ctf, perfetto' \
    "$file" --format xml -o "$tap_dir/x"
refuses "a folder that holds something is not written into" "$tap_dir/x.ctf: Directory not empty" \
    "$file" --format ctf -o "$tap_dir/x.ctf"
refuses "no output" "trace export: -o PATH is missing (see paravane trace export --help)" \
    "$file" --format json
[ -e /dev/full ] && refuses "a full disk" "/dev/full: No space left on device" \
    "$file" --format json -o /dev/full
tap_done

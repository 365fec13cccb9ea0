#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# paravane trace report: the page is whole, asks for nothing, and works in a browser.
. "${PARAVANE_SRC:-.}/tests/tap.sh" || exit 1
sample=$PARAVANE_BUILD/tests/traces/sample
file=$tap_dir/sample.pvt
page=$tap_dir/page.html
"$sample" "$file" 6000 || exit 1

tap_check "a page is made" "$PARAVANE" trace report "$file" -o "$page" --title 'a <b> & "c"'
tap_empty "no mark of the template is left" "$(grep -o '@[A-Z]*@' "$page")"
tap_empty "it names nothing outside of it" \
    "$(grep -oE '(src|href)="[^"]*"|https?://[^"<> ]*|@import|url\(' "$page" | head)"
tap_check "its title is escaped" grep -q '<title>a &lt;b&gt; &amp; &quot;c&quot;</title>' "$page"
"$PARAVANE" trace report "$file" -o "$tap_dir/again.html" --title 'a <b> & "c"' 2>/dev/null
tap_check "the same again is the same bytes" cmp "$page" "$tap_dir/again.html"
tap_equal "no output" "2: paravane: trace report: -o PAGE.html is missing (see paravane trace report --help)" \
    "$(out=$("$PARAVANE" trace report "$file" 2>&1); echo "$?: $out")"

browser=$(command -v chromium || command -v chromium-browser)
if [ -z "$browser" ]; then
    tap_skip "the page works in a browser" "no chromium"
    tap_done
fi

# Looks at the page from inside, as a user would, and leaves what it saw in the page.
cat >"$tap_dir/look.html" <<'END'
<pre id="seen"></pre><script>
const seen = (text) => (document.getElementById("seen").textContent += text + "\n");
const rest = (ms) => new Promise((done) => setTimeout(done, ms));
// The page draws when the browser asks it to, and a busy host asks late: wait for what should be seen.
const until = async (what) => {
  while (!what()) await rest(50);
};
window.onerror = (message) => seen("error " + message);
window.onunhandledrejection = (event) => seen("error " + event.reason);
(async () => {
  await until(() => document.documentElement.dataset.ready);
  const n = (selector) => document.querySelectorAll(selector).length;
  seen("ready " + document.documentElement.dataset.ready);
  seen("calls " + page.events.isCall.reduce((a, b) => a + b, 0));
  seen("sum " + page.events.spent.reduce((a, b) => a + b, 0));
  seen("frames " + page.events.frame.filter((f) => f).length);
  await until(() => n("#slow tbody tr"));
  seen("slow " + n("#slow tbody tr"));
  document.querySelector("#slow tbody tr").click();
  await until(() => !document.getElementById("detail").hidden && page.view.to - page.view.from < 1e6);
  seen("detail " + !document.getElementById("detail").hidden);
  seen("zoomed " + (page.view.to - page.view.from < 1e6));
  document.getElementById("zoom-all").click();
  const query = document.getElementById("query"), note = document.getElementById("found-note");
  const unasked = note.textContent;
  query.value = "kind pin";
  query.dispatchEvent(new Event("input"));
  await until(() => note.textContent !== unasked);
  seen("found " + note.textContent);
  const before = document.documentElement.dataset.theme;
  document.getElementById("theme").click();
  seen("theme " + (before !== document.documentElement.dataset.theme));
  const canvas = document.getElementById("lanes");
  canvas.dispatchEvent(new WheelEvent("wheel", { deltaY: -1000, clientX: 600, clientY: 300, bubbles: true }));
  seen("wheel " + (page.view.to - page.view.from < meta.end_ns - meta.begin_ns));
  const colours = () => {
    const paint = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    return new Set(new Uint32Array(paint.buffer)).size;
  };
  for (let tries = 0; colours() <= 10 && tries < 100; tries++) await rest(50);
  seen("painted " + (colours() > 10));
  seen("end");
})();
</script>
END
cat "$page" "$tap_dir/look.html" >"$tap_dir/looked.html"
timeout 120 "$browser" --headless --no-sandbox --disable-gpu --user-data-dir="$tap_dir/profile" \
    --window-size=1400,1200 --virtual-time-budget=20000000 --dump-dom "file://$tap_dir/looked.html" \
    >"$tap_dir/dom" 2>/dev/null
seen() { sed -n "/<pre id=\"seen\">/,/<\/pre>/{s/<pre id=\"seen\">//;s/^$1 //p}" "$tap_dir/dom" | head -1; }

rows=$("$PARAVANE" trace stat "$file" --json)
tap_equal "the browser reads all events" 6000 "$(seen ready)"
tap_equal "as many hypercalls as stat counts" \
    "$(jq '[.rows[] | select(.kind == "hypercall").count] | add' <<<"$rows")" "$(seen calls)"
tap_equal "with as many instructions" "$(jq '[.rows[].insns // 0] | add' <<<"$rows")" "$(seen sum)"
tap_equal "the slowest are listed" 50 "$(seen slow)"
tap_equal "a click on one shows it" true "$(seen detail)"
tap_equal "and goes there" true "$(seen zoomed)"
tap_equal "search finds what dump finds" "$("$PARAVANE" trace dump "$file" --kind pin | wc -l) found" \
    "$(seen found | cut -d, -f1)"
tap_equal "light and dark change places" true "$(seen theme)"
tap_equal "the wheel zooms" true "$(seen wheel)"
tap_equal "the lanes are painted" true "$(seen painted)"
tap_empty "nothing goes wrong in the page" "$(seen error)"
tap_done

/* SPDX-License-Identifier: GPL-2.0-or-later */
// Slowest hypercalls, search, and all that is known of one event.
"use strict";

function lineOf(events, lines, i) {
  const known = lines.get(events.number[i]);
  if (known) return known;
  const name = meta.names[events.name[i]];
  if (!events.isCall[i]) return events.frame[i] ? `${name} frame 0x${(events.frame[i] - 1).toString(16)}` : name;
  return `${name}(…) = ${events.result[i]}`;
}

function fillTable(id, heads, rows, open) {
  const table = document.getElementById(id), head = document.createElement("thead");
  const top = document.createElement("tr");
  for (const [text, kind] of heads) {
    const cell = document.createElement("th");
    cell.textContent = text;
    if (kind) cell.className = kind;
    top.append(cell);
  }
  head.append(top);
  const body = document.createElement("tbody");
  for (const { event, cells } of rows) {
    const row = document.createElement("tr");
    cells.forEach((text, k) => {
      const cell = document.createElement("td");
      cell.textContent = text;
      cell.className = heads[k][1] || "";
      if (cell.className.startsWith("text")) cell.title = text;
      row.append(cell);
    });
    row.onclick = () => open(event);
    body.append(row);
  }
  table.replaceChildren(head, body);
}

function drawSlowest(events, lines, view, open) {
  const best = [];
  for (let i = 0; i < events.length; i++) {
    if (!events.isCall[i] || events.end[i] < view.from || events.end[i] > view.to) continue;
    if (best.length === 50 && events.spent[i] <= events.spent[best[49]]) continue;
    best.push(i);
    best.sort((a, b) => events.spent[b] - events.spent[a]);
    best.length = Math.min(best.length, 50);
  }
  document.getElementById("slow-note").textContent = best.length ? "in view; click to go there" : "none in view";
  fillTable("slow", [["instructions", "number"], ["time", "number"], ["at", "number"], ["who", ""], ["hypercall", "text mono"]],
    best.map((i) => ({
      event: i,
      cells: [count(events.spent[i]), showSpan(events.duration[i]), showTime(events.end[i] - events.duration[i], 1e9),
        meta.lanes[events.lane[i]].label, lineOf(events, lines, i)],
    })), open);
}

// Each word narrows down: "failed", "frame N", "kind K", "#N", else a part of name, lane or line.
function matcher(events, lines, query) {
  const words = query.trim().toLowerCase().split(/\s+/).filter(Boolean), tests = [];
  for (let k = 0; k < words.length; k++) {
    const word = words[k];
    if (word === "failed") tests.push((i) => events.failed[i]);
    else if (word === "frame" && k + 1 < words.length) {
      const frame = Number(words[++k]);
      tests.push((i) => events.frame[i] === frame + 1);
    } else if (word === "kind" && k + 1 < words.length) {
      const kind = meta.kinds.indexOf(words[++k]);
      tests.push((i) => events.kind[i] === kind);
    } else if (/^#\d+$/.test(word)) tests.push((i) => events.number[i] === Number(word.slice(1)));
    else {
      const names = meta.names.map((name) => name.toLowerCase().includes(word));
      const kinds = meta.kinds.map((kind) => kind.includes(word));
      const lanes = meta.lanes.map((lane) => lane.label.toLowerCase().startsWith(word));
      tests.push((i) => names[events.name[i]] || kinds[events.kind[i]] || lanes[events.lane[i]] ||
        (lines.has(events.number[i]) && lines.get(events.number[i]).toLowerCase().includes(word)));
    }
  }
  return (i) => tests.every((test) => test(i));
}

function search(events, lines, query, open) {
  const note = document.getElementById("found-note");
  if (!query.trim()) {
    note.textContent = meta.lines_all ? "in all lines" : "in names, domains, frames, and the lines of slow and failed hypercalls";
    return document.getElementById("found").replaceChildren();
  }
  const matches = matcher(events, lines, query), found = [];
  let all = 0;
  for (let i = 0; i < events.length; i++)
    if (matches(i) && ++all <= 300) found.push(i);
  note.textContent = `${count(all)} found${all > 300 ? ", the first 300 are shown" : ""}`;
  fillTable("found", [["event", "number"], ["at", "number"], ["who", ""], ["what", "text mono"]],
    found.map((i) => ({
      event: i,
      cells: ["#" + events.number[i], showTime(events.end[i], 1e9), meta.lanes[events.lane[i]].label, lineOf(events, lines, i)],
    })), open);
}

function showDetail(events, lines, i) {
  const body = document.getElementById("detail-body"), rows = [];
  const put = (key, value, kind) => rows.push(span("key", key), span("value " + (kind || ""), value));
  put("event", `#${events.number[i]}, ${meta.kinds[events.kind[i]]} of ${meta.lanes[events.lane[i]].label}`);
  put("when", `${showTime(events.end[i], 1)} virtual, after ${count(events.insns[i])} instructions`);
  if (events.isCall[i])
    put("took", `${count(events.spent[i])} instructions, ${showSpan(events.duration[i])}`);
  if (events.frame[i]) put("frame", "0x" + (events.frame[i] - 1).toString(16), "mono");
  put("line", lineOf(events, lines, i), events.failed[i] ? "mono bad" : "mono");
  put("see also", `paravane trace dump ${meta.file} --number ${events.number[i]} --full`, "mono");
  body.replaceChildren(...rows);
  document.getElementById("detail").hidden = false;
}

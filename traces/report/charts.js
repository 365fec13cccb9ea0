/* SPDX-License-Identifier: GPL-2.0-or-later */
// Sums of what the timeline shows: hypercalls, latencies, page types, grants.
"use strict";

const BINS = 160;

// Rows of {name, count, insns, failed}, of hypercalls that end in the view.
function sumCalls(events, view) {
  const rows = new Map();
  for (let i = 0; i < events.length; i++) {
    if (!events.isCall[i] || events.end[i] < view.from || events.end[i] > view.to) continue;
    let row = rows.get(events.name[i]);
    if (!row) rows.set(events.name[i], (row = { name: events.name[i], count: 0, insns: 0, failed: 0 }));
    row.count++;
    row.insns += events.spent[i];
    row.failed += events.failed[i];
  }
  return [...rows.values()];
}

function drawCallBars(rows, by, chosen, lanes, choose) {
  const box = document.getElementById("calls");
  rows.sort((a, b) => b[by] - a[by]);
  const most = rows.length ? rows[0][by] : 1;
  const total = rows.reduce((sum, row) => sum + row.count, 0);
  document.getElementById("calls-note").textContent = `${count(total)} in view; click one for its latency`;
  if (!rows.length) return box.replaceChildren(empty("No hypercalls in view."));
  box.replaceChildren(...rows.map((row) => {
    const line = document.createElement("div");
    line.className = row.name === chosen ? "call chosen" : "call";
    const name = span("name", meta.names[row.name]), track = span("track", ""), value = span("value", "");
    const fill = document.createElement("div");
    fill.className = "fill";
    fill.style.width = (100 * row[by]) / (most || 1) + "%";
    fill.style.background = lanes.callColour(row.name);
    track.append(fill);
    value.textContent = `${showShort(row.insns)} insns · ${showShort(row.count)}×`;
    if (row.failed) {
      const bad = span("bad", ` ${showShort(row.failed)} failed`);
      name.append(bad);
    }
    name.title = meta.names[row.name];
    line.append(name, track, value);
    line.onclick = () => choose(row.name);
    return line;
  }));
}

function span(kind, text) {
  const node = document.createElement(kind === "track" ? "div" : "span");
  node.className = kind;
  node.textContent = text;
  return node;
}
function empty(text) {
  const node = document.createElement("p");
  node.className = "empty";
  node.textContent = text;
  return node;
}

// Instructions of each hypercall in the view, by powers of the square root of 2.
function drawLatency(events, view, chosen) {
  const beside = document.getElementById("calls").clientHeight; // as tall as the card on its left
  const { g, width, height } = fitCanvas(document.getElementById("latency"), Math.max(240, beside));
  const values = [];
  for (let i = 0; i < events.length; i++)
    if (events.isCall[i] && events.end[i] >= view.from && events.end[i] <= view.to &&
        (chosen === undefined || events.name[i] === chosen)) values.push(events.spent[i]);
  const note = document.getElementById("latency-note");
  const what = chosen === undefined ? "all hypercalls" : meta.names[chosen];
  if (!values.length) {
    note.textContent = what;
    g.fillStyle = css("--muted");
    g.fillText("No hypercalls in view.", 4, 20);
    return;
  }
  values.sort((a, b) => a - b);
  const rank = (p) => values[Math.max(0, Math.ceil((values.length * p) / 100) - 1)];
  note.textContent = `${what}: p50 ${count(rank(50))} · p90 ${count(rank(90))} · p99 ${count(rank(99))} · ` +
    `max ${count(values[values.length - 1])} instructions`;
  const slot = (v) => Math.floor(2 * Math.log2(Math.max(v, 1)));
  const low = slot(values[0]), high = slot(values[values.length - 1]) + 1, bins = new Float64Array(high - low + 1);
  for (const v of values) bins[slot(v) - low]++;
  const most = Math.max(...bins), left = 44, bottom = height - 26, step = (width - left - 8) / bins.length;
  drawScale(g, left, 46, width - 8, bottom, most);
  g.fillStyle = chosen === undefined ? css("--accent") : lanesOnPage.callColour(chosen);
  bins.forEach((n, b) => {
    const tall = (n / most) * (bottom - 46);
    g.fillRect(left + b * step + 1, bottom - tall, Math.max(step - 2, 1), tall);
  });
  g.fillStyle = css("--muted");
  g.textAlign = "center";
  for (let b = low % 2 ? 1 : 0; b < bins.length; b += Math.max(2, 2 * Math.ceil((44 / step) / 2)))
    g.fillText(showShort(2 ** ((low + b) / 2)), left + b * step, height - 12);
  [50, 90, 99].forEach((p, k) => {
    const x = left + (2 * Math.log2(Math.max(rank(p), 1)) - low) * step;
    g.strokeStyle = css("--text");
    g.setLineDash([3, 3]);
    g.beginPath();
    g.moveTo(x, 20 + 12 * k);
    g.lineTo(x, bottom);
    g.stroke();
    g.setLineDash([]);
    g.fillStyle = css("--text");
    g.textAlign = x > width - 40 ? "right" : "center";
    g.fillText("p" + p, x, 14 + 12 * k);
  });
}

function drawScale(g, left, top, right, bottom, most) {
  g.textAlign = "right";
  for (let k = 0; k <= 4; k++) {
    const y = Math.round(bottom - (k / 4) * (bottom - top)) + 0.5;
    g.strokeStyle = css("--grid");
    g.beginPath();
    g.moveTo(left, y);
    g.lineTo(right, y);
    g.stroke();
    g.fillStyle = css("--muted");
    if (most >= 4 || k % 4 === 0) g.fillText(showShort((most * k) / 4), left - 6, y);
  }
}

// What was clicked away in the legend of a chart.
const hiddenSeries = new Set();

// Stacked bars over the time of the view: series is what an event counts as, or undefined.
function drawStack(events, view, canvasId, legendId, series) {
  const { g, width, height } = fitCanvas(document.getElementById(canvasId), 216);
  const names = [], at = new Map(), bins = [];
  const scale = BINS / (view.to - view.from || 1);
  for (let i = 0; i < events.length; i++) {
    if (events.end[i] < view.from || events.end[i] > view.to) continue;
    const name = series(i);
    if (name === undefined) continue;
    if (!at.has(name)) {
      at.set(name, names.length);
      names.push(name);
      bins.push(new Float64Array(BINS));
    }
    bins[at.get(name)][Math.min(BINS - 1, Math.floor((events.end[i] - view.from) * scale))]++;
  }
  const legend = document.getElementById(legendId);
  if (!names.length) {
    legend.replaceChildren();
    g.fillStyle = css("--muted");
    g.fillText("None in view.", 4, 20);
    return;
  }
  const order = names.map((name, k) => [name, bins[k], bins[k].reduce((a, b) => a + b, 0)]);
  order.sort((a, b) => b[2] - a[2]);
  const sums = new Float64Array(BINS), shown = ([name]) => !hiddenSeries.has(canvasId + name);
  for (const item of order) if (shown(item)) item[1].forEach((n, b) => (sums[b] += n));
  const most = Math.max(...sums, 1), left = 44, bottom = height - 24, step = (width - left - 8) / BINS;
  drawScale(g, left, 8, width - 8, bottom, most);
  g.textAlign = "center";
  for (const { time, text } of axisTimes(view, (width - left) / 110)) {
    const x = left + (time - view.from) * scale * step;
    if (x > left + 14 && x < width - 26) g.fillText(text, x, height - 10);
  }
  const base = new Float64Array(BINS);
  order.forEach((item, k) => {
    const row = item[1];
    if (!shown(item)) return;
    g.fillStyle = k < 10 ? colour(k) : other();
    for (let b = 0; b < BINS; b++) {
      const tall = (row[b] / most) * (bottom - 8);
      if (!tall) continue;
      base[b] += tall;
      g.fillRect(left + b * step, bottom - base[b], Math.max(step - 0.5, 1), tall);
    }
  });
  legend.replaceChildren(...order.slice(0, 10).map((row, k) => {
    const item = document.createElement("span"), swatch = document.createElement("i"), key = canvasId + row[0];
    swatch.className = "swatch";
    swatch.style.background = colour(k);
    item.className = shown(row) ? "toggle" : "toggle off";
    item.title = "click to hide or show";
    item.append(swatch, `${row[0]} ${count(row[2])}`);
    item.onclick = () => {
      if (!hiddenSeries.delete(key)) hiddenSeries.add(key);
      drawStack(events, view, canvasId, legendId, series);
    };
    return item;
  }));
}

const pageKinds = new Set(["page_type", "pin", "pt_write", "cr3", "tlb_flush"]);
const grantKinds = new Set(["grant_map", "grant_unmap", "grant_copy", "grant_transfer", "frame_owner",
  "evtchn_send", "virq", "upcall"]);

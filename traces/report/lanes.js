/* SPDX-License-Identifier: GPL-2.0-or-later */
// The timeline: a lane for each vCPU of the machine and of each domain.
"use strict";

const LANE = { height: 46, top: 20, label: 112, call: 15, ticks: 12 };

function fitCanvas(canvas, height) {
  const ratio = window.devicePixelRatio || 1, width = canvas.clientWidth;
  if (height) canvas.style.height = height + "px";
  height = height || canvas.clientHeight;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const g = canvas.getContext("2d");
  g.setTransform(ratio, 0, 0, ratio, 0, 0);
  g.clearRect(0, 0, width, height);
  g.font = "11.5px system-ui, 'Liberation Sans', sans-serif";
  g.textBaseline = "middle";
  return { g, width, height };
}

// First index in @order whose end is not before @time.
function firstFrom(events, order, time) {
  let low = 0, high = order.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (events.end[order[middle]] < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

// Round times in @view, about @wanted of them: [{time, text}].
function axisTimes(view, wanted) {
  const least = (view.to - view.from) / Math.max(2, wanted), power = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10].map((k) => k * power).find((s) => s >= least);
  const digits = Math.max(0, Math.min(9, 9 - Math.floor(Math.log10(step)))), times = [];
  for (let time = Math.ceil(view.from / step) * step; time <= view.to; time += step)
    times.push({ time, text: (time / 1e9).toFixed(digits) + " s" });
  return times;
}

class Lanes {
  constructor(events, view) {
    this.events = events;
    this.view = view;
    this.canvas = document.getElementById("lanes");
    this.lanes = meta.lanes.map((lane) => ({ ...lane, slices: [], ticks: [], longest: 0 }));
    const switchKind = meta.kinds.indexOf("switch");
    for (let i = 0; i < events.length; i++) {
      const lane = this.lanes[events.lane[i]];
      if (events.isCall[i] || events.kind[i] === switchKind) lane.slices.push(i);
      else lane.ticks.push(i);
    }
    for (const lane of this.lanes) {
      lane.slices.sort((a, b) => events.end[a] - events.end[b]);
      lane.ticks.sort((a, b) => events.end[a] - events.end[b]);
      if (lane.machine) this.makeRuns(lane);
      else for (const i of lane.slices) lane.longest = Math.max(lane.longest, events.duration[i]);
    }
    this.colours = this.rankCalls();
    this.hits = [];
  }

  // On a vCPU of the machine, a switch begins what runs until the next one.
  makeRuns(lane) {
    lane.runs = lane.slices.map((i, at) => ({
      from: this.events.end[i],
      to: at + 1 < lane.slices.length ? this.events.end[lane.slices[at + 1]] : meta.end_ns,
      event: i,
    }));
  }

  // The hypercalls that take most time have colours of their own.
  rankCalls() {
    const spent = new Map();
    for (let i = 0; i < this.events.length; i++)
      if (this.events.isCall[i])
        spent.set(this.events.name[i], (spent.get(this.events.name[i]) || 0) + this.events.spent[i]);
    const ranked = [...spent].sort((a, b) => b[1] - a[1]).map(([name]) => name);
    return new Map(ranked.slice(0, 10).map((name, rank) => [name, rank]));
  }
  callColour(name) {
    return this.colours.has(name) ? colour(this.colours.get(name)) : other();
  }
  runColour(name) {
    const label = meta.names[name];
    if (label.startsWith("idle")) return css("--grid");
    const domain = /^d(\d+)/.exec(label);
    return domain ? colour([0, 1, 2, 4, 5, 6][Number(domain[1]) % 6]) : other();
  }

  x(time) {
    const { from, to } = this.view;
    return LANE.label + ((time - from) / (to - from)) * (this.width - LANE.label);
  }
  time(x) {
    const { from, to } = this.view;
    return from + ((x - LANE.label) / (this.width - LANE.label)) * (to - from);
  }

  draw() {
    const { g, width, height } = fitCanvas(this.canvas, LANE.top + this.lanes.length * LANE.height + 2);
    this.width = width;
    this.hits = [];
    this.drawAxis(g, width, height);
    this.lanes.forEach((lane, at) => {
      const y = LANE.top + at * LANE.height;
      g.fillStyle = css("--lane");
      g.fillRect(LANE.label, y + 2, width - LANE.label, LANE.height - 5);
      g.fillStyle = css("--text");
      g.textAlign = "left";
      g.fillText(lane.label, 0, y + 13);
      g.fillStyle = css("--muted");
      g.fillText(lane.machine ? "runs" : "hypercalls", 40, y + 13);
      g.fillText("events", 40, y + 33);
      g.save();
      g.beginPath();
      g.rect(LANE.label, y, width - LANE.label, LANE.height);
      g.clip();
      if (lane.machine) this.drawRuns(g, lane, y + 5);
      else this.drawCalls(g, lane, y + 5);
      this.drawTicks(g, lane, y + 5 + LANE.call + 6);
      g.restore();
    });
    if (this.selection) this.drawSelection(g, height);
    if (this.chosen !== undefined) this.drawChosen(g);
    this.drawLegend();
  }

  drawAxis(g, width, height) {
    g.textAlign = "center";
    for (const { time, text } of axisTimes(this.view, (width - LANE.label) / 130)) {
      const x = Math.round(this.x(time)) + 0.5;
      g.strokeStyle = css("--grid");
      g.beginPath();
      g.moveTo(x, LANE.top - 5);
      g.lineTo(x, height);
      g.stroke();
      g.fillStyle = css("--muted");
      if (x > LANE.label + 20 && x < width - 30) g.fillText(text, x, 8);
    }
  }

  drawRuns(g, lane, y) {
    for (const run of lane.runs) {
      if (run.to < this.view.from) continue;
      if (run.from > this.view.to) break;
      const x0 = Math.max(this.x(run.from), LANE.label), x1 = Math.min(this.x(run.to), this.width);
      g.fillStyle = this.runColour(this.events.name[run.event]);
      g.fillRect(x0, y, Math.max(x1 - x0, 0.6), LANE.call);
      const who = meta.names[this.events.name[run.event]];
      this.label(g, who, x0, x1, y, who.startsWith("idle") ? css("--muted") : undefined);
      this.hits.push({ x0, x1: Math.max(x1, x0 + 2), y0: y, y1: y + LANE.call, event: run.event });
    }
  }

  label(g, text, x0, x1, y, paint = isDark() ? "#10141b" : "#ffffff") {
    if (x1 - x0 < 30) return;
    const fits = Math.floor((x1 - x0 - 8) / 6.2);
    g.fillStyle = paint;
    g.textAlign = "left";
    g.fillText(text.length > fits ? text.slice(0, Math.max(1, fits - 1)) + "…" : text, x0 + 4, y + LANE.call / 2 + 0.5);
  }

  drawCalls(g, lane, y) {
    const first = firstFrom(this.events, lane.slices, this.view.from);
    const last = firstFrom(this.events, lane.slices, this.view.to + lane.longest);
    if (last - first > 6000) return this.drawShares(g, lane.slices, first, last, y);
    // A multicall lies under its entries.
    const inView = lane.slices.slice(first, last);
    inView.sort((a, b) => this.events.duration[b] - this.events.duration[a]);
    for (const i of inView) {
      const end = this.events.end[i], begin = end - this.events.duration[i];
      if (begin > this.view.to) continue;
      const x0 = this.x(begin), x1 = Math.max(this.x(end), x0 + 1);
      g.fillStyle = this.callColour(this.events.name[i]);
      g.fillRect(x0, y, x1 - x0, LANE.call);
      if (this.events.failed[i]) {
        g.fillStyle = css("--bad");
        g.fillRect(x0, y + LANE.call - 3, Math.max(x1 - x0, 2), 3);
      }
      this.label(g, meta.names[this.events.name[i]], x0, x1, y);
      this.hits.push({ x0, x1: Math.max(x1, x0 + 3), y0: y, y1: y + LANE.call, event: i });
    }
  }

  // Too many for single boxes: for each column of pixels, how much of it is spent in which one.
  drawShares(g, order, first, last, y) {
    const columns = Math.max(1, Math.floor(this.width - LANE.label));
    const ranks = 11, spent = new Float64Array(columns * ranks);
    const perColumn = (this.view.to - this.view.from) / columns;
    const sample = new Int32Array(columns).fill(-1);
    for (let k = first; k < last; k++) {
      const i = order[k];
      const column = Math.floor((this.events.end[i] - this.view.from) / perColumn);
      if (column < 0 || column >= columns) continue;
      const rank = this.colours.has(this.events.name[i]) ? this.colours.get(this.events.name[i]) : 10;
      spent[column * ranks + rank] += Math.min(this.events.duration[i], perColumn);
      sample[column] = i;
    }
    for (let column = 0; column < columns; column++) {
      let at = y + LANE.call;
      for (let rank = 0; rank < ranks; rank++) {
        const share = spent[column * ranks + rank] / perColumn;
        if (!share) continue;
        const height = Math.max(Math.min(share, 1) * LANE.call, 0.7);
        at -= height;
        g.fillStyle = rank < 10 ? colour(rank) : other();
        g.fillRect(LANE.label + column, Math.max(at, y), 1, height);
      }
    }
  }

  drawTicks(g, lane, y) {
    const first = firstFrom(this.events, lane.ticks, this.view.from);
    const last = firstFrom(this.events, lane.ticks, this.view.to);
    const dense = last - first > 6000;
    let lastX = -1, lastKind = -1;
    for (let k = first; k < last; k++) {
      const i = lane.ticks[k], x = Math.floor(this.x(this.events.end[i]));
      if (x === lastX && this.events.kind[i] === lastKind) continue;
      lastX = x;
      lastKind = this.events.kind[i];
      g.fillStyle = kindColour(meta.kinds[lastKind]);
      g.fillRect(x, y, 1, LANE.ticks);
      if (!dense) this.hits.push({ x0: x - 1, x1: x + 2, y0: y, y1: y + LANE.ticks, event: i });
    }
  }

  drawSelection(g, height) {
    const x0 = this.x(this.selection.from), x1 = this.x(this.selection.to);
    g.globalAlpha = 0.18;
    g.fillStyle = css("--accent");
    g.fillRect(Math.min(x0, x1), LANE.top, Math.abs(x1 - x0), height - LANE.top);
    g.globalAlpha = 1;
  }

  drawChosen(g) {
    const i = this.chosen, y = LANE.top + this.events.lane[i] * LANE.height;
    const x0 = this.x(this.events.end[i] - this.events.duration[i]), x1 = this.x(this.events.end[i]);
    g.strokeStyle = css("--text");
    g.lineWidth = 1.5;
    g.strokeRect(x0 - 1.5, y + 3.5, Math.max(x1 - x0, 1) + 3, LANE.height - 9);
    g.lineWidth = 1;
  }

  drawLegend() {
    const legend = document.getElementById("legend");
    const items = [...this.colours].map(([name, rank]) => [meta.names[name], colour(rank)]);
    if (items.length === 10) items.push(["other hypercalls", other()]);
    for (const kind of meta.kinds)
      if (kind !== "hypercall" && kind !== "switch" && this.present.has(kind)) items.push([kind, kindColour(kind)]);
    legend.replaceChildren(...items.map(([name, paint]) => {
      const item = document.createElement("span"), swatch = document.createElement("i");
      swatch.className = "swatch";
      swatch.style.background = paint;
      item.append(swatch, name);
      return item;
    }));
  }

  at(x, y) {
    for (let k = this.hits.length - 1; k >= 0; k--) {
      const hit = this.hits[k];
      if (x >= hit.x0 && x < hit.x1 && y >= hit.y0 && y < hit.y1) return hit.event;
    }
    return undefined;
  }
}

// Events over the whole time, with a window on what the lanes show.
class Overview {
  constructor(events, view) {
    this.events = events;
    this.view = view;
    this.canvas = document.getElementById("overview");
    this.bins = new Float64Array(600);
    const span = meta.end_ns - meta.begin_ns || 1;
    for (let i = 0; i < events.length; i++)
      this.bins[Math.min(599, Math.floor(((events.end[i] - meta.begin_ns) / span) * 600))]++;
    this.most = this.bins.reduce((a, b) => Math.max(a, b), 1);
  }
  draw() {
    const { g, width, height } = fitCanvas(this.canvas, 44);
    this.width = width;
    const left = LANE.label, span = meta.end_ns - meta.begin_ns || 1, inner = width - left;
    g.fillStyle = css("--lane");
    g.fillRect(left, 0, inner, height);
    g.fillStyle = css("--muted");
    g.textAlign = "left";
    g.fillText("all events", 0, height / 2);
    g.fillStyle = other();
    for (let b = 0; b < 600; b++) {
      const tall = (Math.log1p(this.bins[b]) / Math.log1p(this.most)) * (height - 6);
      g.fillRect(left + (b / 600) * inner, height - tall, inner / 600 + 0.5, tall);
    }
    const x0 = left + ((this.view.from - meta.begin_ns) / span) * inner;
    const x1 = left + ((this.view.to - meta.begin_ns) / span) * inner;
    g.globalAlpha = 0.2;
    g.fillStyle = css("--accent");
    g.fillRect(x0, 0, Math.max(x1 - x0, 2), height);
    g.globalAlpha = 1;
    g.strokeStyle = css("--accent");
    g.strokeRect(x0 + 0.5, 0.5, Math.max(x1 - x0 - 1, 1), height - 1);
  }
  time(x) {
    return meta.begin_ns + ((x - LANE.label) / (this.width - LANE.label)) * (meta.end_ns - meta.begin_ns);
  }
}

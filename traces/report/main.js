/* SPDX-License-Identifier: GPL-2.0-or-later */
"use strict";

let lanesOnPage; // for the colours of hypercalls

function setTheme(dark) {
  document.documentElement.dataset.theme = dark ? "dark" : "light";
}

// The address can say what is shown: page.html#1.25-1.5 (seconds), #dark, #1.25-1.5,light
const wishes = location.hash.slice(1).split(",");
setTheme(wishes.includes("dark") ||
  (!wishes.includes("light") && matchMedia("(prefers-color-scheme: dark)").matches));

function wishedView() {
  for (const wish of wishes) {
    const match = /^([\d.]+)-([\d.]+)$/.exec(wish);
    if (match && Number(match[1]) < Number(match[2]))
      return { from: Number(match[1]) * 1e9, to: Number(match[2]) * 1e9 };
  }
  return undefined;
}

function putFacts() {
  document.getElementById("title").textContent = meta.title;
  document.getElementById("subtitle").textContent = `${meta.machine} · ${meta.program}`;
  const facts = [["events", count(meta.events)], ["virtual time", showTime(meta.end_ns - meta.begin_ns)],
    ["instructions", showShort(meta.insns)], ["vCPUs", String(meta.vcpus)],
    ["hypercalls", count(meta.calls)], ["failed", count(meta.failed)]];
  document.getElementById("facts").replaceChildren(...facts.map(([key, value]) => {
    const box = document.createElement("div"), dt = document.createElement("dt"), dd = document.createElement("dd");
    dt.textContent = key;
    dd.textContent = value;
    if (key === "failed" && meta.failed) dd.className = "bad";
    box.append(dt, dd);
    return box;
  }));
}

class Page {
  constructor(events, lines) {
    this.events = events;
    this.lines = lines;
    this.view = { from: meta.begin_ns, to: Math.max(meta.end_ns, meta.begin_ns + 1) };
    this.lanes = lanesOnPage = new Lanes(events, this.view);
    this.lanes.present = new Set([...new Set(events.kind)].map((k) => meta.kinds[k]));
    this.overview = new Overview(events, this.view);
    this.open = (i) => this.goTo(i);
    this.listen();
    const wished = wishedView();
    if (wished) this.setView(wished.from, wished.to);
    this.draw();
    search(events, lines, "", this.open);
  }

  // The lanes at once, the sums when the view has come to rest.
  draw() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.lanes.draw();
      this.overview.draw();
      const span = this.view.to - this.view.from;
      document.getElementById("range").textContent =
        `${showTime(this.view.from, span)} to ${showTime(this.view.to, span)} (${showSpan(span)})`;
      clearTimeout(this.rest);
      this.rest = setTimeout(() => {
        this.drawSums();
        history.replaceState(null, "", `#${(this.view.from / 1e9).toFixed(9)}-${(this.view.to / 1e9).toFixed(9)}`);
      }, 60);
    });
  }

  drawSums() {
    const { events, view } = this;
    const by = document.getElementById("calls-by").value;
    drawCallBars(sumCalls(events, view), by, this.chosenCall, this.lanes, (name) => {
      this.chosenCall = this.chosenCall === name ? undefined : name;
      this.drawSums();
    });
    drawLatency(events, view, this.chosenCall);
    const label = (kinds) => (i) => {
      const kind = meta.kinds[events.kind[i]];
      return kinds.has(kind) ? (kind === "page_type" ? meta.names[events.name[i]].replace("page_type ", "") : kind) : undefined;
    };
    drawStack(events, view, "pages", "pages-legend", label(pageKinds));
    drawStack(events, view, "grants", "grants-legend", label(grantKinds));
    drawSlowest(events, this.lines, view, this.open);
  }

  setView(from, to) {
    const whole = Math.max(meta.end_ns - meta.begin_ns, 1), span = Math.min(Math.max(to - from, 20), whole);
    from = Math.min(Math.max(from, meta.begin_ns), meta.begin_ns + whole - span);
    this.view.from = from;
    this.view.to = from + span;
    this.draw();
  }
  zoom(factor, around = (this.view.from + this.view.to) / 2) {
    this.setView(around - (around - this.view.from) * factor, around + (this.view.to - around) * factor);
  }
  pan(share) {
    const span = this.view.to - this.view.from;
    this.setView(this.view.from + share * span, this.view.to + share * span);
  }

  goTo(i) {
    const { events } = this, end = events.end[i], span = Math.max(events.duration[i] * 8, 20000);
    const middle = end - events.duration[i] / 2;
    this.choose(i);
    this.setView(middle - span / 2, middle + span / 2);
    document.getElementById("timeline").scrollIntoView({ behavior: "smooth", block: "nearest" });
  }
  choose(i) {
    this.lanes.chosen = i;
    if (i === undefined) document.getElementById("detail").hidden = true;
    else showDetail(this.events, this.lines, i);
    this.draw();
  }

  tip(event, i) {
    const tip = document.getElementById("tip");
    tip.hidden = i === undefined;
    if (i === undefined) return;
    const when = span("when", ` ${showTime(this.events.end[i], this.view.to - this.view.from)}` +
      (this.events.isCall[i] ? ` · ${count(this.events.spent[i])} instructions` : ""));
    tip.replaceChildren(span("mono", lineOf(this.events, this.lines, i).slice(0, 300)), when);
    const right = event.clientX > innerWidth - 540;
    tip.style.left = right ? "" : event.clientX + 14 + "px";
    tip.style.right = right ? innerWidth - event.clientX + 14 + "px" : "";
    tip.style.top = event.clientY + 16 + "px";
  }

  listen() {
    this.listenLanes();
    this.listenOverview();
    this.listenKeys();
    const on = (id, what, run) => document.getElementById(id).addEventListener(what, run);
    on("zoom-in", "click", () => this.zoom(0.5));
    on("zoom-out", "click", () => this.zoom(2));
    on("zoom-all", "click", () => this.setView(meta.begin_ns, meta.end_ns));
    on("calls-by", "change", () => this.drawSums());
    on("detail-close", "click", () => this.choose(undefined));
    on("theme", "click", () => {
      setTheme(!isDark());
      this.draw();
    });
    let typing;
    on("query", "input", (event) => {
      clearTimeout(typing);
      typing = setTimeout(() => search(this.events, this.lines, event.target.value, this.open), 120);
    });
    addEventListener("resize", () => this.draw());
  }

  listenLanes() {
    const canvas = this.lanes.canvas;
    let drag;
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) this.pan(event.deltaX / 1000);
      else this.zoom(1.0018 ** event.deltaY, this.lanes.time(event.offsetX));
    }, { passive: false });
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      drag = { x: event.offsetX, from: this.view.from, to: this.view.to, select: event.shiftKey, moved: false };
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!drag) return this.tip(event, this.lanes.at(event.offsetX, event.offsetY));
      if (Math.abs(event.offsetX - drag.x) > 3) drag.moved = true;
      if (drag.select) {
        this.lanes.selection = { from: this.lanes.time(drag.x), to: this.lanes.time(event.offsetX) };
        return this.draw();
      }
      const shift = ((drag.x - event.offsetX) / (this.lanes.width - LANE.label)) * (drag.to - drag.from);
      if (drag.moved) this.setView(drag.from + shift, drag.to + shift);
    });
    canvas.addEventListener("pointerup", (event) => {
      const selected = this.lanes.selection;
      this.lanes.selection = undefined;
      if (selected) this.setView(Math.min(selected.from, selected.to), Math.max(selected.from, selected.to));
      else if (drag && !drag.moved) this.choose(this.lanes.at(event.offsetX, event.offsetY));
      drag = undefined;
    });
    canvas.addEventListener("pointerleave", (event) => this.tip(event, undefined));
    canvas.addEventListener("dblclick", () => this.setView(meta.begin_ns, meta.end_ns));
  }

  listenOverview() {
    const canvas = this.overview.canvas;
    const move = (event) => {
      const middle = this.overview.time(event.offsetX), half = (this.view.to - this.view.from) / 2;
      this.setView(middle - half, middle + half);
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      move(event);
    });
    canvas.addEventListener("pointermove", (event) => event.buttons && move(event));
  }

  listenKeys() {
    const keys = {
      "+": () => this.zoom(0.5), "=": () => this.zoom(0.5), "-": () => this.zoom(2),
      0: () => this.setView(meta.begin_ns, meta.end_ns), ArrowLeft: () => this.pan(-0.2), ArrowRight: () => this.pan(0.2),
      Escape: () => this.choose(undefined),
    };
    addEventListener("keydown", (event) => {
      if (["INPUT", "SELECT"].includes(event.target.tagName) || event.ctrlKey || event.metaKey || !(event.key in keys)) return;
      event.preventDefault();
      keys[event.key]();
    });
  }
}

putFacts();
Promise.all([loadEvents(), loadLines()])
  .then(([events, lines]) => {
    window.page = new Page(events, lines);
    document.documentElement.dataset.ready = String(events.length);
  })
  .catch((error) => {
    document.querySelector("main").prepend(empty("This page cannot be shown: " + error.message));
    document.documentElement.dataset.ready = "error";
  });

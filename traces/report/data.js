/* SPDX-License-Identifier: GPL-2.0-or-later */
// The events, as columns: one typed array for each property, all of the same length.
"use strict";

const meta = JSON.parse(document.getElementById("meta").textContent);

async function unpack(id) {
  const text = document.getElementById(id).textContent.trim();
  const packed = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// LEB128 numbers; doubles are exact up to 2^53.
function reader(bytes, at, end) {
  return () => {
    let value = 0, scale = 1, byte;
    do {
      if (at >= end) throw new Error("the data is cut off");
      byte = bytes[at++];
      value += (byte & 127) * scale;
      scale *= 128;
    } while (byte > 127);
    return value;
  };
}
const signed = (value) => (value % 2 ? -(value + 1) / 2 : value / 2);

// {kind, name, lane, end, duration, insns, spent, result, frame, failed, number}
async function loadEvents() {
  const bytes = await unpack("data");
  const n = meta.events;
  const events = { length: n };
  const types = {
    kind: Uint8Array, name: Uint16Array, lane: Uint16Array, end: Float64Array, duration: Float64Array,
    insns: Float64Array, spent: Float64Array, result: Float64Array, frame: Float64Array,
    failed: Uint8Array, number: Float64Array,
  };
  let at = 0;
  for (const [column, size] of meta.columns) {
    const next = reader(bytes, at, at + size);
    const out = new types[column](n);
    const steps = ["end", "insns", "number"].includes(column);
    let last = 0;
    for (let i = 0; i < n; i++) {
      let value = next();
      if (steps || column === "result") value = signed(value);
      if (steps) value = last += value;
      out[i] = value;
    }
    events[column] = out;
    at += size;
  }
  events.isCall = Uint8Array.from(events.kind, (k) => (meta.kinds[k] === "hypercall" ? 1 : 0));
  return events;
}

// number of an event -> its line, for those that are in the page
async function loadLines() {
  const text = new TextDecoder().decode(await unpack("lines"));
  const lines = new Map();
  for (const line of text.split("\n")) {
    const tab = line.indexOf("\t");
    if (tab > 0) lines.set(Number(line.slice(0, tab)), line.slice(tab + 1));
  }
  return lines;
}

// --- how numbers are shown ---------------------------------------------------------------

const count = new Intl.NumberFormat("en").format;

function showTime(ns, span = 0) {
  const digits = span && span < 2e3 ? 9 : span && span < 2e6 ? 7 : span && span < 2e9 ? 5 : 3;
  return (ns / 1e9).toFixed(digits) + " s";
}
function showSpan(ns) {
  if (ns < 1e3) return ns.toFixed(0) + " ns";
  if (ns < 1e6) return (ns / 1e3).toFixed(ns < 1e4 ? 2 : 1) + " µs";
  if (ns < 1e9) return (ns / 1e6).toFixed(ns < 1e7 ? 2 : 1) + " ms";
  return (ns / 1e9).toFixed(3) + " s";
}
function showShort(n) {
  for (const [size, unit] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]])
    if (n >= size) return (n / size).toFixed(n >= 10 * size ? 0 : 1) + unit;
  return String(Math.round(n));
}

// --- colours ------------------------------------------------------------------------------

const palette = {
  light: ["#3b76c9", "#e08a2c", "#3f9c56", "#c94f4f", "#8a63c4", "#1f9aa8", "#c2569b", "#8a7a1d",
    "#5a6ea8", "#a5673f"],
  dark: ["#6ea4f2", "#f0a552", "#66c27d", "#ee7f7a", "#b392ec", "#4fc4d0", "#e583c0", "#c4b24e",
    "#8fa2dc", "#cf9468"],
};
const isDark = () => document.documentElement.dataset.theme === "dark";
const colour = (i) => (isDark() ? palette.dark : palette.light)[i % 10];
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const other = () => (isDark() ? "#5c687b" : "#a9b2c0");

const kindColours = {
  exception: 3, interrupt: 5, upcall: 2, page_type: 4, pin: 4, cr3: 8, pt_write: 6, tlb_flush: 9,
  grant_map: 1, grant_unmap: 1, grant_copy: 1, grant_transfer: 1, frame_owner: 7, evtchn_send: 2,
  virq: 2, mode: 8, demand_walk: 6, console: 0, port: 7, mmio: 7, dma: 9, input: 0, domain: 3, note: 0,
};
const kindColour = (kind) => (kind in kindColours ? colour(kindColours[kind]) : other());

// Figures in words, elements, and the parts that time is split into: what all other files of the page use.
'use strict';

const forkful = {};

// The parts of a time_split, in the order they happen. Each has a pattern of its own: colour is never the only difference.
forkful.parts = [
  {name: 'start', says: 'starting workers'},
  {name: 'pass_in', says: 'passing slices in'},
  {name: 'wake', says: 'handing out and waking'},
  {name: 'compute', says: 'computing'},
  {name: 'pass_out', says: 'passing results out'},
  {name: 'reassemble', says: 'putting results together'},
  {name: 'idle', says: 'waiting'},
];

// Figure and unit stay on one line.
forkful.time = (ns) => {
  if (ns < 1e3) return `${Math.round(ns)}\u00a0ns`;
  if (ns < 999.95e3) return `${(ns / 1e3).toFixed(1)}\u00a0µs`;
  if (ns < 999.95e6) return `${(ns / 1e6).toFixed(1)}\u00a0ms`;
  return `${(ns / 1e9).toFixed(2)}\u00a0s`;
};

/** Labels of an axis of time: one unit for all of them, and as many digits as they need to differ. */
forkful.timeTicks = (splits) => {
  const known = splits.filter((at) => at != null);
  const largest = Math.max(...known.map(Math.abs), 0);
  const [unit, name] = [[1e9, 's'], [1e6, 'ms'], [1e3, 'µs'], [1, 'ns']].find(([size]) => largest >= size) ?? [1, 'ns'];
  return splits.map((at) => (at == null ? '' : `${Number((at / unit).toPrecision(6))}\u00a0${name}`));
};

/** A label for a power of ten: "100 µs". */
forkful.roundTime = (ns) => {
  const [unit, name] = [[1e9, 's'], [1e6, 'ms'], [1e3, 'µs'], [1, 'ns']].find(([size]) => ns >= size * 0.999) ?? [1, 'ns'];
  return `${Number((ns / unit).toPrecision(3))}\u00a0${name}`;
};

/** The powers of ten of [least, most]. */
forkful.decades = (least, most) => {
  const found = [];
  for (let power = Math.ceil(Math.log10(least) - 1e-9); 10 ** power <= most * 1.000001; ++power) found.push(10 ** power);
  return found;
};

forkful.bytes = (bytes) => {
  if (bytes < 1000) return `${bytes}\u00a0B`;
  const units = ['KB', 'MB', 'GB', 'TB'];
  let unit = 0;
  let value = bytes / 1000;
  while (value >= 999.95 && unit + 1 < units.length) {
    value /= 1000;
    ++unit;
  }
  return `${value.toFixed(1)}\u00a0${units[unit]}`;
};

forkful.count = (count) => count.toLocaleString('en-US');
forkful.counted = (count, thing) => `${forkful.count(count)} ${thing}${count === 1 ? '' : 's'}`;
forkful.percent = (part, whole) => (whole > 0 ? `${Math.round((100 * part) / whole)} %` : '-');
forkful.sum = (list, of) => list.reduce((total, each) => total + of(each), 0);

forkful.slices = (first, count) => {
  if (count === 0) return 'no slices';
  return count === 1 ? `slice ${forkful.count(first)}` : `slices ${forkful.count(first)}-${forkful.count(first + count - 1)}`;
};

/** A chunk by the slices that were run. Of several drawn as one the slices need not be neighbours. */
forkful.slices_run = (chunk) => (chunk.merged > 1
  ? `${forkful.counted(chunk.count, 'slice')} from ${forkful.count(chunk.first)} on, ${forkful.count(chunk.merged)} chunks drawn as one,`
  : forkful.slices(chunk.first, chunk.count));

/** make('p', {class: 'x'}, 'text', element, ...): text is never read as HTML. */
forkful.make = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, '');
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((child) => child != null));
  return made;
};

/** A figure of the report: what a person reads, and the exact number for a closer look. */
forkful.figure = (field, value, write = forkful.count) =>
  forkful.make('data', {value, 'data-field': field, title: `${field}: ${value}`}, write(value));

/** A table whose first column names its rows. Numbers stand on the right. */
forkful.table = (caption, head, rows) => {
  const {make} = forkful;
  return make('div', {class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption},
    make('table', {},
      make('caption', {}, caption),
      make('thead', {}, make('tr', {}, head.map((title) => make('th', {scope: 'col'}, title)))),
      make('tbody', {}, rows.map((row) => make('tr', {}, row.map((cell, at) =>
        at === 0 ? make('th', {scope: 'row'}, cell) : make('td', {}, cell)))))));
};

/** The same figures once more, for readers and screen readers that want the numbers. */
forkful.inNumbers = (title, open, ...content) =>
  forkful.make('details', {open, class: 'in-numbers'}, forkful.make('summary', {}, title), ...content);

let numbered = 0;
forkful.section = (title, ...content) => {
  const id = `part-${++numbered}`;
  return forkful.make('section', {'aria-labelledby': id}, forkful.make('h2', {id}, title), ...content);
};

/** Charts are drawn once they stand in the page, and again whenever colours or widths change. */
forkful.charts = new Set();
forkful.redraw = (inside = document) => {
  for (const chart of forkful.charts) {
    if (!chart.root.isConnected) forkful.charts.delete(chart);
    else if (inside.contains(chart.root)) chart.redraw();
  }
};
forkful.colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

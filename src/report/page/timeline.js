// Which worker ran which slices when: a row for the caller and one for each worker, of one call or of all; of several pools, one below the
// other. uPlot does the scales, axes and zooming by mouse.
'use strict';

/** Times come as differences, in arrays of one column each (src/report/html.cpp); here they are numbers from the call's begin. */
forkful.unpack = (call) => {
  const packed = call.timeline;
  if (!packed || packed.chunks) return packed;
  const chunks = [];
  let slice = 0;
  let number = packed.first_call;
  let at = 0;
  for (const [worker, count] of packed.workers) {
    let free = 0;
    for (const until = at + count; at < until; ++at) {
      const first = slice + packed.first[at];
      const begin = free + packed.begin[at];
      free = begin + packed.length[at];
      slice = first + packed.count[at];
      number += packed.call ? packed.call[at] : 0;
      chunks.push({call: number, worker, first, count: packed.count[at], merged: packed.merged ? packed.merged[at] : 1, begin_ns: begin,
                   end_ns: free, pass_in_ns: packed.pass_in[at], pass_out_ns: packed.pass_out[at], idle_ns: packed.idle ? packed.idle[at] : 0});
    }
  }
  packed.chunks = chunks;
  return packed;
};

/** What is drawn of some calls or totals, on one axis: a lane for each caller and each worker. Null: nothing was recorded. */
forkful.lanes = (calls) => {
  const known = calls.filter((call) => forkful.unpack(call));
  if (known.length === 0) return null;
  const origin = known.reduce((first, call) => Math.min(first, call.began_ns), Infinity);
  const all = {lanes: [], chunks: [], events: [], steps: [], end: 1, thinned: false, several: known.length > 1 || known[0].calls > 1};
  for (const call of known) {
    const {chunks, events, caller, thinned} = call.timeline;
    const shift = call.began_ns - origin;
    const base = all.lanes.length;
    const pool = calls.length > 1 ? `pool ${call.pool} ` : '';
    const workers = events.reduce((most, event) => Math.max(most, event.worker + 1), Math.max(call.workers, chunks.length ? chunks.at(-1).worker + 1 : 0));
    all.lanes.push({name: `${pool}caller`, chunks: []});
    for (let worker = 0; worker < workers; ++worker) all.lanes.push({name: `${pool}worker ${worker}`, chunks: []});
    const moved = (each, lane) => {
      const copy = {...each, lane, begin_ns: each.begin_ns + shift, end_ns: each.end_ns + shift};
      all.end = Math.max(all.end, copy.end_ns);
      return copy;
    };
    for (const step of caller) all.steps.push(moved(step, base));
    for (const chunk of chunks) {
      const copy = moved(chunk, base + 1 + chunk.worker);
      copy.of = `${all.several && call.calls > 1 ? ` of call ${chunk.call}` : ''} on ${all.lanes[copy.lane].name}`;
      all.lanes[copy.lane].chunks.push(copy);
      all.chunks.push(copy);
    }
    for (const event of events) {
      all.events.push({...event, lane: base + 1 + event.worker, at_ns: event.at_ns + shift});
      all.end = Math.max(all.end, event.at_ns + shift);
    }
    if (call.calls === 1) all.end = Math.max(all.end, shift + call.wall_ns);
    all.thinned ||= thinned;
  }
  return all;
};

forkful.timeline = (...calls) => {
  const {make, time, counted} = forkful;
  const title = 'Which worker ran which slices when';
  const drawn = forkful.lanes(calls);
  if (!drawn) {
    return forkful.section(title, make('p', {},
      'No timeline was kept. Set ', make('code', {}, 'pool_options::record_timeline'), ', or run the program with ',
      make('code', {}, 'FORKFUL_REPORT=run.html'), ', to see it here.'));
  }
  const {lanes, chunks, events, steps, end} = drawn;
  const rows = lanes.map((lane) => lane.chunks);
  const count = lanes.length;
  const height = Math.max(count > 40 ? 7 : count > 16 ? 14 : 26, 1) * count;

  let focused = null;
  const says = make('p', {class: 'says', 'aria-live': 'polite'}, 'Point at a chunk, or press an arrow key here, to see what it is.');
  const stage = make('div', {class: 'timeline', tabindex: 0, role: 'group', 'aria-label':
    `Timeline of ${counted(chunks.length, 'chunk')} on ${counted(lanes.length - calls.length, 'worker')}. Arrow keys walk from chunk to chunk, plus and minus zoom, 0 shows everything.`});
  const describe = (chunk) => {
    const length = chunk.end_ns - chunk.begin_ns;
    const compute = Math.max(0, length - chunk.pass_in_ns - chunk.pass_out_ns - chunk.idle_ns);
    return `${forkful.slices_run(chunk)}${chunk.of}: ${time(length)}, from ${time(chunk.begin_ns)} to ${time(chunk.end_ns)}; ` +
      `computing ${time(compute)}, passing in ${time(chunk.pass_in_ns)}, passing out ${time(chunk.pass_out_ns)}` +
      (chunk.merged > 1 ? `, between them ${time(chunk.idle_ns)}` : '');
  };

  const marks = {worker_died: 'a worker died', slice_failed: 'a slice failed', worker_started: 'a worker started'};
  const drawMark = (context, what, x, y, size) => {
    context.beginPath();
    if (what === 'worker_died') {
      context.moveTo(x - size, y - size);
      context.lineTo(x + size, y + size);
      context.moveTo(x + size, y - size);
      context.lineTo(x - size, y + size);
    } else if (what === 'slice_failed') {
      context.moveTo(x, y - size);
      context.lineTo(x + size, y + size);
      context.lineTo(x - size, y + size);
      context.closePath();
    } else {
      context.moveTo(x, y - size);
      context.lineTo(x, y + size);
    }
    // A rim in the paper's colour keeps a mark visible on whatever lies below it.
    context.strokeStyle = forkful.colour('paper');
    context.lineWidth = size * 1.1;
    context.stroke();
    context.strokeStyle = forkful.colour(what === 'worker_started' ? 'ink' : 'alarm');
    context.lineWidth = size * 0.5;
    context.stroke();
    if (what === 'slice_failed') {
      context.fillStyle = forkful.colour('paper');
      context.fill();
    }
  };

  const drawRows = (plot) => {
    const context = plot.ctx;
    const {left, top, width, height: tall} = plot.bbox;
    const ratio = uPlot.pxRatio;
    const fills = Object.fromEntries(forkful.parts.map(({name}) => [name, forkful.pattern(context, name, ratio)]));
    const x = (at) => plot.valToPos(at, 'x', true);
    const row = tall / count;
    const pad = row > 12 * ratio ? 2 * ratio : row > 5 * ratio ? ratio : 0;
    const box = (fill, from, to, y) => {
      context.fillStyle = fill;
      context.fillRect(from, y + pad, to - from, row - 2 * pad);
    };
    context.save();
    context.beginPath();
    context.rect(left, top, width, tall);
    context.clip();
    context.strokeStyle = forkful.colour('ink');
    // Of steps too short for a dot, one that stands alone is drawn all the same; where many are close, those that fill it: else a
    // thousand moments of work would hide the waiting between them.
    let [dot, filled] = [-Infinity, 0];
    for (const step of steps) {
      const from = x(step.begin_ns);
      const to = Math.max(x(step.end_ns), from + ratio / 2);
      if (to < left || from > left + width) continue;
      const y = top + step.lane * row;
      const length = x(step.end_ns) - from;
      if (length < ratio / 2) {
        const near = from >= dot && from < dot + 3 * ratio;
        if (!near) [dot, filled] = [from, 0];
        filled += length;
        if (near && (filled < ratio / 2 || step.what === 'idle')) continue;
        filled = 0;
      }
      box(fills[step.what], from, to, y);
      if (to - from > 3 * ratio && row > 5 * ratio) {
        context.lineWidth = ratio / 2;
        context.strokeRect(from, y + pad, to - from, row - 2 * pad);
      }
    }
    rows.forEach((list, lane) => {
      const y = top + lane * row;
      let drawn = -Infinity;
      for (const chunk of list) {
        const to = x(chunk.end_ns);
        if (to < left || to < drawn + ratio / 2) continue;
        const from = x(chunk.begin_ns);
        if (from > left + width) break;
        drawn = Math.max(to, from + ratio / 2);
        if (to - from < 4 * ratio) {
          box(2 * chunk.idle_ns > chunk.end_ns - chunk.begin_ns ? fills.idle : fills.compute, from, drawn, y);
          continue;
        }
        // Of several chunks drawn as one, what was between them comes last.
        const computing = x(chunk.begin_ns + chunk.pass_in_ns);
        const gone = Math.max(x(chunk.end_ns - chunk.idle_ns), computing);
        const leaving = Math.max(x(chunk.end_ns - chunk.idle_ns - chunk.pass_out_ns), computing);
        box(fills.pass_in, from, computing, y);
        box(fills.compute, computing, leaving, y);
        box(fills.pass_out, leaving, gone, y);
        if (chunk.idle_ns > 0) box(fills.idle, gone, to, y);
        if (row > 5 * ratio) {
          context.lineWidth = ratio / 2;
          context.strokeStyle = forkful.colour('ink');
          context.strokeRect(from, y + pad, to - from, row - 2 * pad);
        }
        const label = chunk.merged > 1 ? `${chunk.first}…` : chunk.count === 1 ? `${chunk.first}` : `${chunk.first}-${chunk.first + chunk.count - 1}`;
        if (row > 14 * ratio && leaving - computing > (label.length + 2) * 7 * ratio) {
          context.fillStyle = forkful.colour('on-compute');
          context.font = `${11 * ratio}px system-ui, sans-serif`;
          context.textAlign = 'left';
          context.textBaseline = 'middle';
          context.fillText(label, Math.max(computing, left) + 4 * ratio, y + row / 2);
        }
      }
    });
    for (const event of events) {
      const size = Math.min(row / 3, 6 * ratio);
      drawMark(context, event.what, x(event.at_ns), top + (event.lane + 0.5) * row, size);
    }
    if (focused) {
      context.strokeStyle = forkful.colour('focus');
      context.lineWidth = 3 * ratio;
      const from = x(focused.begin_ns);
      context.strokeRect(from, top + focused.lane * row + ratio, Math.max(x(focused.end_ns) - from, ratio), row - 2 * ratio);
    }
    context.restore();
  };

  let plot = null;
  let shown = [0, end];  // uPlot takes a new scale over a little later
  const view = () => shown;
  const show = (from, to) => {
    const length = Math.min(Math.max(to - from, Math.min(100, end)), end);
    const begin = Math.min(Math.max(from, 0), end - length);
    shown = [begin, begin + length];
    plot.setScale('x', {min: begin, max: begin + length});
  };
  const zoom = (factor, at) => {
    const [from, to] = view();
    if (at == null) {  // what is looked at goes to the middle
      const middle = focused ? (focused.begin_ns + focused.end_ns) / 2 : (from + to) / 2;
      show(middle - ((to - from) / 2) * factor, middle + ((to - from) / 2) * factor);
    } else {
      show(at - (at - from) * factor, at + (to - at) * factor);
    }
  };
  const pan = (share) => {
    const [from, to] = view();
    show(from + share * (to - from), to + share * (to - from));
  };
  const focus = (chunk) => {
    focused = chunk;
    says.textContent = describe(chunk);
    const [from, to] = view();
    if (chunk.begin_ns < from || chunk.end_ns > to) {
      const half = (to - from) / 2;
      const middle = (chunk.begin_ns + chunk.end_ns) / 2;
      show(middle - half, middle + half);
    }
    plot.redraw();
  };
  const nearest = (list, at) => list.reduce((best, chunk) =>
    Math.abs(chunk.begin_ns + chunk.end_ns - 2 * at) < Math.abs(best.begin_ns + best.end_ns - 2 * at) ? chunk : best, list[0]);
  const step = (by) => {
    if (!focused) return chunks.length ? focus(rows.find((list) => list.length)[0]) : undefined;
    const list = rows[focused.lane];
    return focus(list[Math.min(Math.max(list.indexOf(focused) + by, 0), list.length - 1)]);
  };
  const stepRow = (by) => {
    if (!focused) return step(0);
    const middle = (focused.begin_ns + focused.end_ns) / 2;
    for (let lane = focused.lane + by; lane >= 0 && lane < count; lane += by) {
      if (rows[lane].length) return focus(nearest(rows[lane], middle));
    }
    return undefined;
  };
  const keys = {
    ArrowRight: () => step(1), ArrowLeft: () => step(-1), ArrowDown: () => stepRow(1), ArrowUp: () => stepRow(-1),
    Home: () => step(-Infinity), End: () => step(Infinity),
    '+': () => zoom(0.5), '=': () => zoom(0.5), '-': () => zoom(2), '0': () => show(0, end),
  };
  stage.addEventListener('keydown', (event) => {
    if (!keys[event.key] || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    keys[event.key]();
  });
  stage.addEventListener('wheel', (event) => {
    const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY) ? event.deltaX : event.shiftKey ? event.deltaY : 0;
    if (sideways) {
      event.preventDefault();
      pan(sideways / 1000);
    } else if (event.ctrlKey) {
      event.preventDefault();
      zoom(event.deltaY > 0 ? 1.25 : 0.8, plot.posToVal(event.offsetX, 'x'));
    }
  }, {passive: false});

  const pointed = (over) => {
    const {left, top} = over.cursor;
    if (left == null || left < 0) return null;
    const at = over.posToVal(left, 'x');
    const list = rows[Math.floor(over.posToVal(top, 'y'))];
    if (!list || !list.length) return null;
    const slack = over.posToVal(left + 3, 'x') - at;
    const best = nearest(list.filter((chunk) => chunk.begin_ns - slack <= at && at <= chunk.end_ns + slack), at);
    return best ?? null;
  };

  const draw = () => {
    plot?.destroy();
    const width = Math.max(stage.clientWidth || 700, 200);
    const named = count > 40 ? Math.ceil(count / 20) : 1;
    const axis = {stroke: forkful.colour('ink'), grid: {stroke: forkful.colour('line'), width: 1}, ticks: {stroke: forkful.colour('line')},
                  font: '12px system-ui, sans-serif'};
    plot = new uPlot({
      width, height: height + 40,
      padding: [6, 14, 0, 0],
      scales: {x: {time: false, range: (_, min, max) => [min, max]}, y: {range: [0, count], dir: -1}},
      axes: [
        {...axis, space: 80, values: (_, splits) => forkful.timeTicks(splits), size: 30},
        {...axis, size: calls.length > 1 ? 118 : 74, grid: {show: false}, splits: () => Array.from({length: count}, (_, at) => at + 0.5),
         filter: (_, splits) => splits.map((at) => (at < 1 || named === 1 || (at > 2 && Math.floor(at - 1) % named === 0) ? at : null)),
         values: (_, splits) => splits.map((at) => (at == null ? '' : lanes[Math.floor(at)].name))},
      ],
      series: [{}, {paths: () => null, points: {show: false}}],
      legend: {show: false},
      cursor: {y: false, points: {show: false}, drag: {x: true, y: false}},
      hooks: {
        draw: [drawRows],
        setScale: [(over, axis) => {
          if (axis === 'x' && over === plot) shown = [over.scales.x.min, over.scales.x.max];
        }],
        setCursor: [(over) => {
          const chunk = pointed(over);
          if (chunk) says.textContent = describe(chunk);
        }],
        ready: [(over) => over.over.addEventListener('click', () => {
          const chunk = pointed(over);
          if (chunk) focus(chunk);
        })],
      },
    }, [[0, end], [0, 0]], stage);
    plot.setScale('x', {min: shown[0], max: shown[1]});
  };
  forkful.charts.add({root: stage, redraw: draw});

  const button = (label, name, does) => make('button', {type: 'button', 'aria-label': name, title: name, onclick: does}, label);
  const tools = make('div', {class: 'tools', role: 'group', 'aria-label': 'What the timeline shows'},
    button('+', 'Zoom in', () => zoom(0.5)), button('−', 'Zoom out', () => zoom(2)),
    button('◀', 'Earlier', () => pan(-0.5)), button('▶', 'Later', () => pan(0.5)),
    button('all', 'Show everything', () => show(0, end)),
    make('span', {class: 'hint'}, 'drag to zoom, double-click for everything'));
  const kinds = ['worker_died', 'slice_failed', 'worker_started'].filter((what) => events.some((event) => event.what === what));
  const legend = make('ul', {class: 'legend', 'aria-label': 'What the patterns and marks mean'},
    forkful.parts.map(({name, says: words}) => make('li', {}, make('span', {class: `swatch ${name}`}), words)),
    kinds.map((what) => make('li', {}, make('span', {class: `mark ${what}`}), marks[what])));

  const notes = [];
  if (drawn.thinned) notes.push(make('p', {}, `${drawn.several ? 'There were many chunks' : 'The call was long'}: neighbouring chunks are drawn as one.`));
  const happened = events.filter((event) => event.what !== 'worker_started');
  const told = happened.length === 0 ? [] : [forkful.table('Crashes and failures, in order', ['at', 'what', 'call', 'worker', 'slice', 'why'],
    happened.map((event) => [time(event.at_ns), marks[event.what], `${event.call}`, calls.length > 1 ? lanes[event.lane].name : `${event.worker}`, forkful.count(event.slice ?? 0), event.text]))];
  return forkful.section(title, stage, says, tools, legend, ...notes, ...told, forkful.chunkTable(drawn));
};

/** All chunks in numbers, made when the user opens it, five hundred at a time. */
forkful.chunkTable = ({chunks, steps, lanes}) => {
  const {make, time} = forkful;
  const details = make('details', {}, make('summary', {}, `The timeline in numbers (${forkful.counted(chunks.length, 'chunk')})`));
  details.addEventListener('toggle', () => {
    if (details.childElementCount > 1) return;
    details.append(forkful.table('What the caller did', ['step', 'who', 'from', 'to', 'time'],
      steps.map((each) => [forkful.parts.find(({name}) => name === each.what).says, lanes[each.lane].name, time(each.begin_ns), time(each.end_ns), time(each.end_ns - each.begin_ns)])));
    const row = (chunk) => [forkful.slices_run(chunk), `${chunk.call}`, lanes[chunk.lane].name, time(chunk.begin_ns), time(chunk.end_ns),
                            time(chunk.end_ns - chunk.begin_ns), time(chunk.pass_in_ns), time(chunk.pass_out_ns)];
    let shown = 0;
    const head = ['slices', 'call', 'who', 'from', 'to', 'time', 'passing in', 'passing out'];
    const more = make('button', {type: 'button'}, 'More');
    const grow = () => {
      const next = chunks.slice(shown, shown + 500);
      shown += next.length;
      const caption = `Chunks ${forkful.count(shown - next.length + 1)}-${forkful.count(shown)} of ${forkful.count(chunks.length)}`;
      more.before(forkful.table(caption, head, next.map(row)));
      more.hidden = shown === chunks.length;
    };
    more.addEventListener('click', grow);
    details.append(more);
    if (chunks.length) grow();
    else more.hidden = true;
  });
  return details;
};

// How long it would take with other workers and other slices: an estimate from the measured costs of a call, or of all. docs/report.md
// states the formula too.
'use strict';

/** A total of calls where it is not known how many ran at a time. */
forkful.submits = (call) => call.calls > 1 && call.verb.includes('submit');

/** What the call cost, in ns: once, for each worker, for each slice at the caller, for each slice at a worker; null if unknown. */
forkful.costs = (call) => {
  const computed = call.time_ns.compute;
  if (forkful.submits(call) || !call.finished || call.way === 'serial' || call.slices === 0 || call.per_worker.length === 0 || computed === 0) return null;
  const ofWorkers = (part) => forkful.sum(call.per_worker, (row) => row.time_ns[part]);
  return {
    slices: call.slices,
    calls: call.calls,
    length: computed / call.slices,
    once: call.caller_ns.wake + ofWorkers('wake') / call.per_worker.length,
    worker: call.caller_ns.start / call.per_worker.length,
    caller: (call.caller_ns.pass_in + call.caller_ns.reassemble) / call.slices,
    passing: (ofWorkers('pass_in') + ofWorkers('pass_out')) / call.slices,
    uneven: call.imbalance,
  };
};

/** The formula of docs/report.md. */
forkful.predict = (costs, workers, length) => {
  const each = length + costs.passing;
  const uneven = workers > 1 ? Math.max(costs.uneven, 1) : 1;
  const slices = costs.slices / costs.calls;  // of one call
  const busiest = Math.min(Math.max((slices / workers) * uneven, Math.ceil(slices / workers)), slices);
  return costs.once + costs.worker * workers + costs.caller * costs.slices + each * busiest * costs.calls;
};

forkful.estimate = (call) => {
  const {make, time, counted, figure} = forkful;
  const title = 'What if? An estimate';
  const costs = forkful.costs(call);
  if (!costs) {
    if (forkful.submits(call)) return null;
    return forkful.section(title, make('p', {}, call.way === 'serial'
      ? 'A loop in one process has no costs of handing out. Run the same with another pool to see what it would cost.'
      : 'There is no estimate: too little was measured.'));
  }
  const largest = Math.max(64, call.workers);
  const state = {workers: call.workers, length: costs.length};
  const lengthOf = (position) => 10 ** (position / 20);  // 20 steps a decade, from 1 ns
  const positionOf = (length) => Math.min(Math.max(Math.round(20 * Math.log10(length)), 0), 220);

  const slider = (name, range) => make('input', {type: 'range', id: `what-if-${name}-${call.number}`, 'data-slider': name, ...range});
  const workers = slider('workers', {min: 1, max: largest, step: 1, value: call.workers});
  const length = slider('length', {min: 0, max: 220, step: 1, value: positionOf(costs.length)});
  const workersSay = make('output', {for: workers.id});
  const lengthSays = make('output', {for: length.id});
  const verdict = make('p', {class: 'says', 'aria-live': 'polite', 'data-estimate': ''});
  const drawings = make('div', {class: 'pair'});
  const overWorkers = make('div', {class: 'chart'});
  const overLength = make('div', {class: 'chart'});
  drawings.append(make('figure', {}, make('figcaption', {}, 'Time for other numbers of workers'), overWorkers),
                  make('figure', {}, make('figcaption', {}, 'Time for other lengths of a slice'), overLength));

  const loop = () => costs.slices * state.length;
  const compare = (pool) => {
    const gain = loop() / pool;
    if (gain > 1.05) return `${gain.toFixed(1)} times faster than a loop (${time(loop())})`;
    if (gain > 1 / 1.05) return `about as long as a loop (${time(loop())})`;
    return `${(1 / gain).toFixed(1)} times slower than a loop (${time(loop())})`;
  };

  const lines = (element, xs, pool, single, at, log) => {
    const ink = forkful.colour('ink');
    const axis = {stroke: ink, grid: {stroke: forkful.colour('line'), width: 1}, ticks: {stroke: forkful.colour('line')}, font: '12px system-ui, sans-serif'};
    const powers = {splits: (_, which, from, to) => forkful.decades(from, to), values: (_, splits) => splits.map(forkful.roundTime)};
    const least = 10 ** Math.floor(Math.log10(Math.min(...pool, ...single)));
    const most = 10 ** Math.ceil(Math.log10(Math.max(...pool, ...single) * 1.1));
    element.replaceChildren();
    return new uPlot({
      width: Math.max(element.clientWidth, 220), height: 230,
      padding: [8, 16, 0, 0],
      scales: {x: {time: false, distr: log ? 3 : 1, range: [xs[0], xs.at(-1)]}, y: {distr: 3, range: [least, most]}},
      axes: [log ? {...axis, ...powers} : axis, {...axis, ...powers, size: 66}],
      legend: {show: false}, cursor: {show: false},
      series: [{}, {label: 'pool', stroke: ink, width: 2, points: {show: false}},
               {label: 'loop', stroke: ink, width: 1.5, dash: [6, 5], points: {show: false}}],
      hooks: {draw: [(plot) => {
        const ratio = uPlot.pxRatio;
        const x = plot.valToPos(at, 'x', true);
        const context = plot.ctx;
        context.fillStyle = forkful.colour('focus');
        context.beginPath();
        context.arc(x, plot.valToPos(pool[xs.indexOf(at)] ?? forkful.predict(costs, state.workers, state.length), 'y', true), 5 * ratio, 0, 7);
        context.fill();
        context.fillStyle = ink;
        context.font = `${12 * ratio}px system-ui, sans-serif`;
        // Each name where the lines are apart: they meet on the right where slices are long.
        const {left, width} = plot.bbox;
        const name = (text, values, others, end) => {
          context.textAlign = end ? 'right' : 'left';
          const which = end ? values.length - 1 : 0;
          const below = values[which] < others[which];
          context.fillText(text, end ? left + width - 4 * ratio : left + 4 * ratio,
                           plot.valToPos(values[which], 'y', true) + (below ? 15 : -6) * ratio);
        };
        name('loop', single, pool, !log);
        name('pool', pool, single, !log);
      }]},
    }, [xs, pool, single], element);
  };

  const table = make('div', {});
  const redraw = () => {
    const predicted = forkful.predict(costs, state.workers, state.length);
    workersSay.textContent = counted(state.workers, 'worker');
    lengthSays.textContent = `${time(state.length)} a slice`;
    workers.setAttribute('aria-valuetext', workersSay.textContent);
    length.setAttribute('aria-valuetext', lengthSays.textContent);
    verdict.replaceChildren(make('strong', {}, 'Estimate: ', make('data', {value: predicted, 'data-estimated': 'ns'}, time(predicted))),
      ` for ${counted(costs.slices, 'slice')} of ${time(state.length)} on ${counted(state.workers, 'worker')}, ${compare(predicted)}.`);
    const all = Array.from({length: largest}, (_, at) => at + 1);
    lines(overWorkers, all, all.map((count) => forkful.predict(costs, count, state.length)), all.map(loop), state.workers, false);
    const spans = Array.from({length: 81}, (_, at) => Math.max(state.length, 100) * 10 ** ((at - 40) / 20));
    lines(overLength, spans, spans.map((span) => forkful.predict(costs, state.workers, span)), spans.map((span) => span * costs.slices),
          state.length, true);
    const picks = [...new Set([1, 2, 4, 8, 16, 32, 64, call.workers, state.workers])].sort((a, b) => a - b);
    table.replaceChildren(forkful.table(`Estimate for slices of ${time(state.length)}`, ['workers', 'time', 'against a loop'], picks.map((count) => {
      const pool = forkful.predict(costs, count, state.length);
      return [`${count}`, time(pool), `${(loop() / pool).toFixed(2)} times as fast`];
    })));
  };
  workers.addEventListener('input', () => {
    state.workers = Number(workers.value);
    redraw();
  });
  length.addEventListener('input', () => {
    state.length = lengthOf(Number(length.value));
    redraw();
  });
  const reset = make('button', {type: 'button', onclick: () => {
    state.workers = call.workers;
    state.length = costs.length;
    workers.value = call.workers;
    length.value = positionOf(costs.length);
    redraw();
  }}, 'As it was');
  forkful.charts.add({root: drawings, redraw});

  const at = (value) => make('strong', {}, time(value));
  return forkful.section(title,
    make('p', {}, call.calls > 1 ? 'The same calls' : 'The same call', ' with other workers and other slices, from what it cost on this machine. Measured: ',
         figure('wall_ns', call.wall_ns, time), `; the estimate for the same is ${time(forkful.predict(costs, call.workers, costs.length))}. `,
         'It supposes a core for each worker, and slices that get in each other’s way no more than they did.'),
    make('div', {class: 'sliders'},
      make('label', {for: workers.id}, 'Workers'), workers, workersSay,
      make('label', {for: length.id}, 'Length of a slice'), length, lengthSays, reset),
    verdict, drawings,
    forkful.inNumbers('The estimate in numbers', false, table,
      make('p', {}, 'time = ', at(costs.once), ' once + ', at(costs.worker), ' × workers (starting) + ', at(costs.caller), ' × slices (caller: passing in, putting together) + ( length + ',
           at(costs.passing), ' (worker: passing in and out) ) × slices of the busiest worker, which are in each call slices ÷ workers × ',
           make('strong', {}, Math.max(costs.uneven, 1).toFixed(2)), ' (how uneven it was; 1 with one worker), at least slices ÷ workers rounded up, at most all. A loop takes length × slices.')));
};

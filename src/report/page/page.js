// Puts the sections of a call together, wherever the document has asked for one.
'use strict';

forkful.verdict = (call) => {
  const {make, time, counted, figure, percent} = forkful;
  const said = make('p', {class: 'verdict'});
  if (call.slices === 0 && call.finished) {
    said.append('There was nothing to run: the input had no slices.');
    return said;
  }
  if (!call.finished) said.append(`The program ended in the middle of ${call.calls > 1 ? 'a' : 'this'} call; what is known of it is drawn here. `);
  if (call.calls > 1) said.append(figure('calls', call.calls), ` calls of ${call.verb}: `);
  const run = call.finished ? 'were run' : 'were to be run';
  said.append(figure('slices', call.slices), ` ${call.slices === 1 ? `slice ${run.replace('were', 'was')}` : `slices ${run}`} in `,
    figure('chunks', call.chunks), ` ${call.chunks === 1 ? 'chunk' : 'chunks'} by `, figure('workers', call.workers),
    ` ${call.workers === 1 ? 'worker' : 'workers'}`);
  if (!call.finished) {
    said.append('.');
    return said;
  }
  said.append(' in ', figure('wall_ns', call.wall_ns, time));
  if (call.calls > 1) said.append(', in which at least one call was under way');
  const computed = forkful.sum(call.per_worker, (row) => row.time_ns.compute);
  if (computed > 0) said.append(`; the workers spent ${percent(computed, call.wall_ns * call.per_worker.length)} of that computing`);
  said.append('.');
  if (call.deaths > 0) said.append(' ', figure('deaths', call.deaths), ` ${call.deaths === 1 ? 'worker' : 'workers'} died, `, figure('retries', call.retries), ' handed out again.');
  return said;
};

forkful.facts = (call) => {
  const {figure, make, time, bytes} = forkful;
  const rows = [
    ['pool', figure('pool', call.pool, String), `one of ${forkful.counted(call.workers, 'worker')}, way “${call.way}”`],
    ['call', figure('call', call.call, String), call.calls > 1 ? `the last of them; verbs: “${call.verb}”` : `verb “${call.verb}”`],
    ['calls', figure('calls', call.calls), call.calls > 1 ? 'added up here' : 'this one'],
    ['began', figure('began_ns', call.began_ns, time), `${call.calls > 1 ? 'the first of them, ' : ''}on the machine’s monotonic clock`],
    ['wall', figure('wall_ns', call.wall_ns, time), call.calls > 1 ? 'in which at least one call was under way' : 'from entering the verb to leaving it'],
    ['queued', figure('queued_ns', call.queued_ns, time), call.calls > 1 ? 'of all calls added up: from the first hand-out until a worker began' : 'of that: from the first hand-out until a worker began'],
    ['away', figure('away_ns', call.away_ns, time), 'of that: nobody asked for results'],
    ['beside others', call.beside_others ? 'yes' : 'no', call.calls > 1 ? 'whether any of the calls overlapped another' : 'whether workers ran slices of other calls meanwhile'],
    ['slices', figure('slices', call.slices), 'of the input'],
    ['chunks', figure('chunks', call.chunks), 'hand-outs'],
    ['workers', figure('workers', call.workers), 'size of the pool'],
    ['imbalance', figure('imbalance', call.imbalance, (value) => value.toFixed(2)), 'longest compute of a worker over the mean; 1 is even'],
    ['deaths', figure('deaths', call.deaths), 'workers that ended during the call'],
    ['retries', figure('retries', call.retries), 'chunks handed out again'],
    ['threads at fork', figure('threads_at_fork', call.threads_at_fork), 'of the caller; 0: no worker was forked from it'],
    ['shared memory', figure('arena_bytes', call.arena_bytes, bytes), 'in use when the call ended'],
  ];
  return forkful.section(call.calls > 1 ? 'The pool and its calls' : 'The pool and the call', forkful.inNumbers('Every other figure', false,
    forkful.table('Figures of the call', ['what', 'figure', 'meaning'], rows)));
};

forkful.warnings = (call) => (call.warnings.length === 0 ? null : forkful.section('Worth knowing',
  forkful.make('ul', {}, call.warnings.map((warning) => forkful.make('li', {}, warning)))));

/** Draws one call into an element; `compact`: only the timeline, the memory and the time. */
forkful.draw = (element, call, {compact = false} = {}) => {
  const {make} = forkful;
  const advice = call.advice ? make('p', {class: 'advice'}, make('strong', {}, 'What to do next: '), call.advice) : null;
  const sections = [forkful.timeline(call), forkful.memory(call), forkful.whereTheTimeWent(call)];
  if (!compact) sections.push(forkful.slowest(call), forkful.estimate(call), forkful.warnings(call), forkful.facts(call));
  element.replaceChildren(make('article', {'data-drawn': call.number},
    ...[forkful.verdict(call), advice, ...sections].filter((each) => each != null)));
  forkful.redraw(element);
};

forkful.nameOf = (call) => `${call.calls > 1 ? `${forkful.count(call.calls)} calls of ${call.verb || 'a pool'}: ` : `${call.verb || 'call'} of `} ${forkful.counted(call.slices, 'slice')}${call.workers ? `, ${forkful.counted(call.workers, 'worker')}` : ''}${call.way ? ` (${call.way})` : ''}`;

/** The whole program, on several pools: one timeline, and what is to be said of each pool. */
forkful.drawProgram = (element, totals) => {
  const {make} = forkful;
  const told = totals.flatMap((total) => [make('h2', {}, `Pool ${total.pool}: ${forkful.nameOf(total)}`), forkful.verdict(total),
    total.advice ? make('p', {class: 'advice'}, make('strong', {}, 'What to do next: '), total.advice) : null]);
  element.replaceChildren(make('article', {'data-drawn': 'program'}, forkful.timeline(...totals), ...told.filter((each) => each != null)));
  forkful.redraw(element);
};

/** The whole page of one call or of several: with several, a list to choose from, which begins with all of them together. */
forkful.drawChooser = (element, calls, totals) => {
  const {make} = forkful;
  const heading = make('h1', {});
  const place = make('div', {});
  const program = `The program: ${forkful.counted(calls.length, 'call')} on ${forkful.counted(totals.length, 'pool')}`;
  const show = (call) => {
    heading.textContent = call ? forkful.nameOf(call) : program;
    if (call) forkful.draw(place, call);
    else forkful.drawProgram(place, totals);
  };
  if (calls.length === 0) {
    heading.textContent = 'No call was made';
    place.append(make('p', {}, 'The program ended without a call on a pool.'));
    element.append(heading, place);
    return;
  }
  // null: the program.
  const choices = [...(totals.length > 1 ? [null] : []), ...totals.filter((total) => total.calls > 1), ...calls];
  const lasted = (call) => (call.finished ? forkful.time(call.wall_ns) : 'unfinished');
  const name = (call) => {
    if (!call) return program;
    return `${call.calls > 1 ? `All of pool ${call.pool}:` : `${call.call}.`} ${forkful.nameOf(call)}, ${lasted(call)}`;
  };
  if (choices.length > 1) {
    const list = make('select', {id: 'which-call', onchange: () => show(choices[list.selectedIndex])}, choices.map((call) => make('option', {}, name(call))));
    element.append(make('p', {class: 'chooser'}, make('label', {for: 'which-call'}, `${forkful.counted(calls.length, 'call')}; this is `), list));
  }
  element.append(heading, place);
  show(choices[0]);
};

{
  const {totals, calls} = JSON.parse(document.getElementById('forkful-calls').textContent);
  calls.forEach((call, number) => Object.assign(call, {number}));
  totals.forEach((total, number) => Object.assign(total, {number: `total-${number}`}));
  for (const element of document.querySelectorAll('[data-calls]')) forkful.drawChooser(element, calls, totals);
  for (const element of document.querySelectorAll('[data-call]'))
    forkful.draw(element, calls[Number(element.dataset.call)], {compact: 'compact' in element.dataset});
  for (const element of document.querySelectorAll('[data-curve]')) forkful.curve(element, JSON.parse(element.dataset.curve));

  let width = window.innerWidth;
  window.addEventListener('resize', () => {
    if (window.innerWidth === width) return;
    width = window.innerWidth;
    forkful.redraw();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => forkful.redraw());

  // On paper: light colours, the numbers beside the pictures, and canvases of three dots a pixel, which uPlot makes
  // when the window reports that it has them.
  const density = (ratio) => {
    if (ratio) Object.defineProperty(window, 'devicePixelRatio', {value: ratio, configurable: true});
    else delete window.devicePixelRatio;
    window.dispatchEvent(new CustomEvent('dppxchange'));
  };
  let closed = [];
  const own = Object.getOwnPropertyDescriptor(window, 'devicePixelRatio');
  window.addEventListener('beforeprint', () => {
    document.documentElement.dataset.print = '';
    closed = [...document.querySelectorAll('details.in-numbers:not([open])')];
    for (const details of closed) details.open = true;
    density(3);
    forkful.redraw();
  });
  window.addEventListener('afterprint', () => {
    delete document.documentElement.dataset.print;
    for (const details of closed) details.open = false;
    density(0);
    if (own) Object.defineProperty(window, 'devicePixelRatio', own);
    forkful.redraw();
  });
}

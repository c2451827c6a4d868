// How the speed-up grows with workers and hosts: a line for each number of hosts, and the figures of the point that is looked at.
'use strict';

/** Draws points of the form {hosts, workers, time_ns, speed_up}, which cover a grid, into an element. */
forkful.curve = (element, points) => {
  const {make, time, counted, count} = forkful;
  const workers = [...new Set(points.map((point) => point.workers))].sort((a, b) => a - b);
  const hosts = [...new Set(points.map((point) => point.hosts))].sort((a, b) => a - b);
  const at = (host, worker) => points.find((point) => point.hosts === host && point.workers === worker);
  const ratio = (value) => (value >= 99.5 ? count(Math.round(value)) : Number(value.toPrecision(2)).toString());
  const state = {hosts: 0, workers: Math.min(4, workers.length - 1)};

  const slider = (name, values) => make('input', {type: 'range', id: `curve-${name}`, 'data-slider': name, min: 0, max: values.length - 1, step: 1, value: state[name]});
  const sliders = {workers: slider('workers', workers), hosts: slider('hosts', hosts)};
  const says = make('p', {class: 'says', 'aria-live': 'polite', 'data-estimate': ''});
  const place = make('div', {class: 'chart'});

  const draw = () => {
    const ink = forkful.colour('ink');
    const soft = forkful.colour('soft');
    const axis = {stroke: ink, grid: {stroke: forkful.colour('line'), width: 1}, ticks: {stroke: forkful.colour('line')}, font: '12px system-ui, sans-serif'};
    const ups = points.map((point) => point.speed_up);
    place.replaceChildren();
    return new uPlot({
      width: Math.max(place.clientWidth, 220), height: 340,
      padding: [8, 16, 0, 0],
      scales: {x: {time: false, distr: 3, log: 2, range: [workers[0], workers.at(-1)]},
               y: {distr: 3, range: [10 ** Math.floor(Math.log10(Math.min(...ups))), 10 ** Math.ceil(Math.log10(Math.max(...ups)))]}},
      axes: [{...axis, splits: () => workers, values: (_, splits) => splits.map((each) => (each == null ? '' : String(each)))},
             {...axis, size: 88, splits: (_, which, from, to) => forkful.decades(from, to), values: (_, splits) => splits.map((each) => (each == null ? '' : `${ratio(each)} ×`))}],
      legend: {show: false},
      cursor: {x: true, y: true, drag: {x: false, y: false}, points: {show: false}},
      series: [{}, ...hosts.map((host, i) => ({
        label: counted(host, 'host'), stroke: i === state.hosts ? ink : soft, width: i === state.hosts ? 3 : 1.2,
        dash: i === state.hosts ? [] : [2 + 2 * i, 4], points: {show: false}}))],
      hooks: {
        draw: [(plot) => {
          const chosen = at(hosts[state.hosts], workers[state.workers]);
          plot.ctx.fillStyle = ink;
          plot.ctx.beginPath();
          plot.ctx.arc(plot.valToPos(chosen.workers, 'x', true), plot.valToPos(chosen.speed_up, 'y', true), 5 * uPlot.pxRatio, 0, 2 * Math.PI);
          plot.ctx.fill();
        }],
        ready: [(plot) => plot.over.addEventListener('click', () => {
          const {left, top} = plot.cursor;
          const near = (list, distance) => list.reduce((best, _, i) => (distance(i) < distance(best) ? i : best), 0);
          state.workers = near(workers, (i) => Math.abs(plot.valToPos(workers[i], 'x') - left));
          state.hosts = near(hosts, (i) => Math.abs(plot.valToPos(at(hosts[i], workers[state.workers]).speed_up, 'y') - top));
          sliders.workers.value = state.workers;
          sliders.hosts.value = state.hosts;
          show();
        })],
      },
    }, [workers, ...hosts.map((host) => workers.map((worker) => at(host, worker).speed_up))], place);
  };

  const chart = {root: element, redraw: draw};
  const show = () => {
    const point = at(hosts[state.hosts], workers[state.workers]);
    const all = point.hosts * point.workers;
    says.textContent = `${counted(point.workers, 'worker')} on ${point.hosts === 1 ? 'one host' : `each of ${point.hosts} hosts`}: ${time(point.time_ns)}, `
      + `${ratio(point.speed_up)} times as fast as the loop, ${Math.round((100 * point.speed_up) / all)} % of what ${counted(all, 'worker')} could gain.`;
    draw();
  };
  for (const [name, input] of Object.entries(sliders)) {
    input.addEventListener('input', () => {
      state[name] = Number(input.value);
      show();
    });
  }
  const row = (name, text) => make('p', {}, make('label', {for: `curve-${name}`}, `${text} `), sliders[name]);
  const figures = forkful.table('Speed-up over the loop', ['hosts', ...workers.map((worker) => counted(worker, 'worker'))],
    hosts.map((host) => [String(host), ...workers.map((worker) => ratio(at(host, worker).speed_up))]));
  element.append(forkful.section('How it would grow',
    make('figure', {}, make('figcaption', {}, 'Speed-up over the loop, by workers on each host; a line for each number of hosts, the chosen one thick'), place),
    row('workers', 'Workers on each host'), row('hosts', 'Hosts'), says, forkful.inNumbers('The curve in numbers', false, figures)));
  forkful.charts.add(chart);
  show();
};

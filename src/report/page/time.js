// Where the time went: a bar for all, the caller and each worker, split into the parts of their time.
'use strict';

forkful.whereTheTimeWent = (call) => {
  const {make, time, figure, percent, parts} = forkful;
  const title = 'Where the time went';
  const rows = [
    {name: 'all', field: 'time_ns', split: call.time_ns},
    {name: 'caller', field: 'caller_ns', split: call.caller_ns},
    ...call.per_worker.map((row, at) => ({name: `worker ${row.worker}`, missing: row.missing, field: `per_worker.${at}.time_ns`, split: row.time_ns})),
  ];
  const total = (split) => forkful.sum(parts, ({name}) => split[name]);
  if (total(call.time_ns) === 0) return forkful.section(title, make('p', {}, 'Nothing was measured in this call.'));

  const bars = make('div', {class: rows.length > 18 ? 'bars many' : 'bars', role: 'img', 'aria-label': rows.slice(0, 2).map(({name, split}) =>
    `${name}: ${parts.filter((part) => split[part.name] > 0).map((part) => `${part.says} ${percent(split[part.name], total(split))}`).join(', ')}`).join('. ')});
  for (const {name, missing, split} of rows) {
    const whole = total(split);
    const bar = make('div', {class: 'bar'});
    for (const part of parts) {
      if (split[part.name] === 0 || whole === 0) continue;
      const share = (100 * split[part.name]) / whole;
      const piece = make('span', {class: `piece ${part.name}`, title: `${name}, ${part.says}: ${time(split[part.name])} (${percent(split[part.name], whole)})`},
        share > 12 ? make('span', {class: 'label'}, `${part.says} ${percent(split[part.name], whole)}`) : '');
      piece.style.width = `${share}%`;
      bar.append(piece);
    }
    bars.append(make('div', {class: 'name'}, name), missing ? make('div', {class: 'bar'}, 'could not be started') : bar);
  }
  const legend = make('ul', {class: 'legend', 'aria-hidden': 'true'},
    parts.map(({name, says}) => make('li', {}, make('span', {class: `swatch ${name}`}), says)));
  const table = forkful.table('Time of each, in parts', ['who', ...parts.map(({says}) => says), 'together', 'another had its core', 'slices', 'chunks', 'deaths'],
    rows.map(({name, field, split}, at) => {
      const row = at < 2 ? null : call.per_worker[at - 2];
      const counts = row ? [figure(`per_worker.${at - 2}.off_core_ns`, row.off_core_ns, time),
        ...['slices', 'chunks', 'deaths'].map((each) => figure(`per_worker.${at - 2}.${each}`, row[each]))] : ['', '', '', ''];
      return [name, ...parts.map((part) => figure(`${field}.${part.name}`, split[part.name], time)), time(total(split)), ...counts];
    }));
  return forkful.section(title, bars, legend, forkful.inNumbers('The time in numbers', false, table));
};

forkful.slowest = (call) => {
  const {make, time, figure} = forkful;
  if (call.slowest.length === 0) return null;
  const times = (ratio) => `${ratio < 10 ? Number(ratio.toPrecision(2)) : forkful.count(Math.round(ratio))} times`;
  const mean = call.slices > 0 ? call.time_ns.compute / call.slices : 0;
  return forkful.section('The slowest slices',
    forkful.table(`The ${call.slowest.length === 1 ? 'slowest' : `${call.slowest.length} slowest`}, where an average slice takes ${time(mean)}`,
      ['slices', 'call', 'worker', 'time', 'another had the core', 'a slice, against the average'],
      call.slowest.map((slow, at) => [forkful.slices(slow.first, slow.count), figure(`slowest.${at}.call`, slow.call, String), figure(`slowest.${at}.worker`, slow.worker),
        figure(`slowest.${at}.time_ns`, slow.time_ns, time), figure(`slowest.${at}.off_core_ns`, slow.off_core_ns, time), mean > 0 ? times(slow.time_ns / slow.count / mean) : '-'])));
};

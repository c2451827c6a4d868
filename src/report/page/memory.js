// What was copied and what was only looked at, as circles whose areas are to scale, cut like the workers' shares.
'use strict';

forkful.memory = (call) => {
  const {make, bytes, figure, count} = forkful;
  const amounts = [
    {field: 'bytes_in', is: 'copied', title: 'copied in', says: 'travelled to the workers: slices and arguments'},
    {field: 'bytes_out', is: 'copied', title: 'copied out', says: 'came back as results'},
    {field: 'bytes_shared', is: 'shared', title: 'shared', says: 'lay in shared memory and was used where it lay, without a copy'},
    {field: 'bytes_copied_on_write', is: 'on-write', title: 'copied on write', says: 'of private memory was copied because workers wrote to it'},
  ];
  const largest = Math.max(...amounts.map(({field}) => call[field]));
  const copied = call.bytes_in + call.bytes_out + call.bytes_copied_on_write;

  const words = make('p', {});
  if (call.way === 'serial') words.append('Everything ran in this process: there was nothing to copy to another. ');
  else if (copied === 0) words.append('Nothing was copied. ');
  else words.append(`${bytes(copied)} were copied in all. `);
  for (const {field, says} of amounts) {
    if (call[field] > 0) words.append(figure(field, call[field], bytes), ` ${says}. `);
  }
  if (call.way === 'snapshot') words.append('The rest of the program’s memory was only looked at: a photograph costs nothing until a worker writes to it. ');

  // To scale within a picture; and a few bytes do not look like gigabytes from afar.
  const radius = largest >= 1e6 ? 70 : largest >= 1e4 ? 48 : 30;
  const drawing = make('div', {class: 'amounts', role: 'img', 'aria-label':
    `Four circles to scale: ${amounts.map(({field, title}) => `${title} ${bytes(call[field])}`).join(', ')}.`});
  if (largest > 0) {
    for (const {field, is, title} of amounts) {
      const size = Math.sqrt(call[field] / largest) * radius;
      const drawn = call[field] > 0 ? Math.max(size, 1.5) : 0;
      drawing.append(make('figure', {},
        forkful.circle(drawn, radius, is, Math.min(call.workers || 1, 24)),
        make('figcaption', {}, make('strong', {}, title), make('br'), bytes(call[field]),
             call[field] > 0 && size < 1.5 ? ' (a dot: too small for this scale)' : '')));
    }
  }
  const scale = largest > 0 ? make('p', {class: 'hint'}, `Areas are to scale; the largest is ${bytes(largest)}. Filled: copied. Dashed: shared, not copied. Striped: copied because it was written to.`) : null;

  const rows = amounts.map(({field, title, says}) => [title, figure(field, call[field], bytes), says]);
  rows.splice(1, 0, ['of that broadcast', figure('bytes_broadcast', call.bytes_broadcast, bytes), 'arguments for every slice: sent once, however many workers']);
  rows.push(['shared memory in use', figure('arena_bytes', call.arena_bytes, bytes), 'when the call ended']);
  rows.push(['resident at most', figure('peak_memory_bytes', call.peak_memory_bytes, bytes), 'caller and workers added up, shared pages once; about']);
  rows.push(['page faults', figure('page_faults', call.page_faults, count), 'of all workers']);
  const perWorker = call.per_worker.length === 0 ? [] : [forkful.table('Memory of each worker', ['worker', 'copied on write', 'resident at most', 'of that its alone', 'page faults'],
    call.per_worker.map((row, at) => [`worker ${row.worker}`,
      figure(`per_worker.${at}.bytes_copied_on_write`, row.bytes_copied_on_write, bytes),
      figure(`per_worker.${at}.peak_memory_bytes`, row.peak_memory_bytes, bytes),
      figure(`per_worker.${at}.peak_private_bytes`, row.peak_private_bytes, bytes),
      figure(`per_worker.${at}.page_faults`, row.page_faults)]))];
  const remark = call.timeline ? null : make('p', {class: 'hint'}, 'Copying on write is counted with a timeline only.');
  return forkful.section('What was copied, what was shared', words, drawing, scale,
    forkful.inNumbers('Memory in numbers', false, forkful.table('Memory of the call', ['what', 'bytes', 'meaning'], rows), remark, ...perWorker));
};

/** A circle, cut in as many pieces as there are workers. */
forkful.circle = (radius, largest, kind, pieces) => {
  const space = 'http://www.w3.org/2000/svg';
  const [width, height] = [146, 2 * largest + 6];
  const [middle, waist] = [width / 2, height / 2];
  const drawn = document.createElementNS(space, 'svg');
  drawn.setAttribute('viewBox', `0 0 ${width} ${height}`);
  drawn.setAttribute('class', `circle ${kind}`);
  drawn.setAttribute('aria-hidden', 'true');
  const add = (tag, attributes) => {
    const made = document.createElementNS(space, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    drawn.append(made);
    return made;
  };
  if (radius === 0) return drawn;
  add('circle', {cx: middle, cy: waist, r: radius, class: 'body'});
  if (kind === 'on-write') {
    for (let x = -radius; x < radius; x += 5) {
      const half = Math.sqrt(Math.max(radius * radius - x * x, 0));
      add('line', {x1: middle + x, x2: middle + x, y1: waist - half, y2: waist + half, class: 'stripes'});
    }
  }
  if (radius > 8 && pieces > 1) {
    for (let piece = 0; piece < pieces; ++piece) {
      const angle = (2 * Math.PI * piece) / pieces - Math.PI / 2;
      add('line', {x1: middle, y1: waist, x2: middle + radius * Math.cos(angle), y2: waist + radius * Math.sin(angle), class: 'cut'});
    }
  }
  return drawn;
};

// The pattern of a part of time on a canvas; page.css has the same ones for boxes.
'use strict';

forkful.pattern = (context, name, ratio) => {
  const size = Math.round(6 * ratio);
  const tile = document.createElement('canvas');
  tile.width = tile.height = size;
  const brush = tile.getContext('2d');
  brush.fillStyle = forkful.colour(name);
  brush.fillRect(0, 0, size, size);
  brush.strokeStyle = forkful.colour('stripe');
  brush.lineWidth = ratio;
  const line = (x1, y1, x2, y2) => {
    brush.beginPath();
    brush.moveTo(x1, y1);
    brush.lineTo(x2, y2);
    brush.stroke();
  };
  const rising = () => [-size, 0, size].forEach((by) => line(by, size, size + by, 0));
  const falling = () => [-size, 0, size].forEach((by) => line(by, 0, size + by, size));
  if (name === 'pass_in' || name === 'reassemble') rising();
  if (name === 'pass_out' || name === 'reassemble') falling();
  if (name === 'start') line(0, size / 2, size, size / 2);
  if (name === 'wake') line(size / 2, 0, size / 2, size);
  return context.createPattern(tile, 'repeat');
};

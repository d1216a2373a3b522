// Drawing on canvases: charts over one time axis, so that what happened together stands together.
// A view is { from, to }, in seconds of the stream; all charts share its left and right margins.

import { firstAt } from "./page.state.js";

const COLOURS = [
  "#2f7ed8", "#e8743b", "#19a979", "#bf399e", "#945ecf", "#13a4b4",
  "#c9a400", "#6c8893", "#d13d54", "#5b9a2f", "#8b5e3c", "#525df4",
];
const DASHES = [[], [7, 3], [2, 3], [9, 3, 2, 3]]; // with the colours, 48 labels are told apart
// Of channels such as x, y and z: none of them is a label's.
const CHANNELS = ["#00707a", "#b5179e", "#7a6a00", "#444c56", "#a04000", "#3a0ca3"];
const VIRIDIS = [
  [68, 1, 84], [71, 44, 122], [59, 81, 139], [44, 113, 142], [33, 144, 141],
  [39, 173, 129], [92, 200, 99], [170, 220, 50], [253, 231, 37],
];
const LEFT = 44;
const RIGHT = 8;
const TOP = 6;
const FOOT = 20;

export const colourOf = (index) => COLOURS[index % COLOURS.length];
export const dashOf = (index) => DASHES[Math.floor(index / COLOURS.length) % DASHES.length];
export const channelColour = (index) => CHANNELS[index % CHANNELS.length];

// A canvas in device pixels, and the page's colours, which follow the browser's light or dark.
export function canvas(element) {
  const scale = window.devicePixelRatio || 1;
  const width = Math.max(1, Math.round(element.clientWidth * scale));
  const height = Math.max(1, Math.round(element.clientHeight * scale));
  if (element.width !== width || element.height !== height) {
    element.width = width;
    element.height = height;
  }
  const context = element.getContext("2d");
  context.setLineDash([]);
  context.clearRect(0, 0, width, height);
  context.font = `${12 * scale}px system-ui, "DejaVu Sans", sans-serif`;
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const plot = { left: LEFT * scale, right: width - RIGHT * scale, top: TOP * scale,
    bottom: height - FOOT * scale };
  return { context, width, height, scale, colour, plot };
}

export const xOf = ({ plot }, view, second) =>
  plot.left + (plot.right - plot.left) * (second - view.from) / (view.to - view.from);
const yOf = ({ plot }, low, high, value) =>
  plot.bottom - (plot.bottom - plot.top) * (value - low) / (high - low);

// The second of the stream under a place in an element, null outside of the plot.
export function secondAt(element, view, offsetX) {
  const width = element.clientWidth - LEFT - RIGHT;
  const share = (offsetX - LEFT) / width;
  return share < 0 || share > 1 ? null : view.from + share * (view.to - view.from);
}

export function clock(second) {
  if (second < 60) return `${Math.round(second * 10) / 10} s`;
  const whole = Math.round(second);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

export function timeAxis(drawing, view) {
  const { context, scale, colour, plot, height } = drawing;
  const span = view.to - view.from;
  const room = Math.max(2, Math.floor((plot.right - plot.left) / (80 * scale)));
  const step = [0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300].find((each) => span / each <= room) || 600;
  context.strokeStyle = colour("line");
  context.fillStyle = colour("faint");
  context.lineWidth = scale;
  context.textBaseline = "bottom";
  context.textAlign = "center";
  for (let at = Math.ceil(view.from / step) * step; at <= view.to; at += step) {
    const x = xOf(drawing, view, at);
    context.beginPath();
    context.moveTo(x, plot.top);
    context.lineTo(x, plot.bottom + 3 * scale);
    context.stroke();
    if (at >= 0) {
      const half = context.measureText(clock(at)).width / 2;
      context.fillText(clock(at), Math.min(plot.right - half, Math.max(plot.left + half, x)), height);
    }
  }
}

export function valueAxis(drawing, marks, low, high) {
  const { context, scale, colour, plot } = drawing;
  context.strokeStyle = colour("line");
  context.fillStyle = colour("faint");
  context.lineWidth = scale;
  context.textBaseline = "middle";
  context.textAlign = "right";
  for (const { value, text } of marks) {
    const y = yOf(drawing, low, high, value);
    context.fillText(text, plot.left - 6 * scale, y);
    context.beginPath();
    context.moveTo(plot.left, y);
    context.lineTo(plot.right, y);
    context.stroke();
  }
}

export function clip(drawing, draw) {
  const { context, plot } = drawing;
  context.save();
  context.beginPath();
  context.rect(plot.left, 0, plot.right - plot.left, plot.bottom);
  context.clip();
  draw();
  context.restore();
}

// A line through `valueOf` each of `items` that the view shows, and one beyond on either side.
export function line(drawing, view, items, valueOf, low, high, colour, dash = []) {
  const { context, scale } = drawing;
  context.strokeStyle = colour;
  context.lineWidth = 1.5 * scale;
  context.lineJoin = "round";
  context.setLineDash(dash.map((each) => each * scale));
  context.beginPath();
  const first = Math.max(0, firstAt(items, view.from) - 1);
  for (let at = first; at < items.length; at++) {
    context.lineTo(xOf(drawing, view, items[at].second), yOf(drawing, low, high, valueOf(items[at])));
    if (items[at].second > view.to) break;
  }
  context.stroke();
  context.setLineDash([]);
}

export function threshold(drawing, value, low, high) {
  const { context, scale, colour, plot } = drawing;
  const y = yOf(drawing, low, high, value);
  context.strokeStyle = colour("ink");
  context.fillStyle = colour("ink");
  context.lineWidth = scale;
  context.setLineDash([5 * scale, 4 * scale]);
  context.beginPath();
  context.moveTo(plot.left, y);
  context.lineTo(plot.right, y);
  context.stroke();
  context.setLineDash([]);
  context.textAlign = "right";
  context.textBaseline = "bottom";
  context.fillText(`threshold ${value.toFixed(2)}`, plot.right - 4 * scale, y - 2 * scale);
}

// Where something was recognised: a flag with its name, in its colour.
export function marks(drawing, view, heard, colourOfLabel) {
  const { context, scale, plot } = drawing;
  context.textBaseline = "top";
  context.textAlign = "left";
  for (const { second, label } of heard) {
    if (second < view.from || second > view.to) continue;
    const x = xOf(drawing, view, second);
    context.strokeStyle = context.fillStyle = colourOfLabel(label);
    context.lineWidth = 2 * scale;
    context.beginPath();
    context.moveTo(x, plot.top);
    context.lineTo(x, plot.bottom);
    context.stroke();
    const text = label.length > 24 ? `${label.slice(0, 23)}\u2026` : label;
    context.fillText(text, x + 3 * scale, plot.top);
  }
}

export function cursor(drawing, view, second) {
  if (second === null || second < view.from || second > view.to) return;
  const { context, scale, colour, plot } = drawing;
  const x = xOf(drawing, view, second);
  context.strokeStyle = colour("ink");
  context.lineWidth = scale;
  context.beginPath();
  context.moveTo(x, plot.top);
  context.lineTo(x, plot.bottom);
  context.stroke();
}

function viridis(share) {
  const at = Math.min(0.9999, Math.max(0, share)) * (VIRIDIS.length - 1);
  const low = VIRIDIS[Math.floor(at)];
  const high = VIRIDIS[Math.floor(at) + 1];
  const part = at - Math.floor(at);
  return [0, 1, 2].map((c) => low[c] + (high[c] - low[c]) * part).concat(255);
}

export function spectrogram(drawing, view, rows, width, stride) {
  const shown = rows.slice(firstAt(rows, view.from), firstAt(rows, view.to + stride));
  if (!shown.length) return;
  const image = new ImageData(shown.length, width);
  shown.forEach(({ row }, x) => {
    for (let band = 0; band < width; band++) {
      image.data.set(viridis((row[band] + 128) / 255), 4 * ((width - 1 - band) * shown.length + x));
    }
  });
  const pixels = document.createElement("canvas");
  pixels.width = shown.length;
  pixels.height = width;
  pixels.getContext("2d").putImageData(image, 0, 0);
  const { context, plot } = drawing;
  const left = xOf(drawing, view, shown[0].second - stride);
  const right = xOf(drawing, view, shown[shown.length - 1].second);
  context.imageSmoothingEnabled = false;
  context.drawImage(pixels, left, plot.top, Math.max(1, right - left), plot.bottom - plot.top);
}

// The last rows as whole pictures, the newest on the right.
export function strip(drawing, rows, shape) {
  const [height, width, channels] = shape;
  const gap = 6 * drawing.scale;
  const shown = drawing.height * width / height;
  const pixels = document.createElement("canvas");
  pixels.width = width;
  pixels.height = height;
  drawing.context.imageSmoothingEnabled = false;
  let x = drawing.width - shown;
  for (let at = rows.length - 1; at >= 0 && x > -shown; at--, x -= shown + gap) {
    pixels.getContext("2d").putImageData(coloured(rows[at].row, width, height, channels), 0, 0);
    drawing.context.drawImage(pixels, x, 0, shown, drawing.height);
  }
}

function coloured(row, width, height, channels) {
  const image = new ImageData(width, height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let c = 0; c < 3; c++) {
      image.data[4 * pixel + c] = row[pixel * channels + (channels === 3 ? c : 0)] + 128;
    }
    image.data[4 * pixel + 3] = 255;
  }
  return image;
}

// How often a value came: bars with the lowest and highest below them, in words of `unit`.
export function histogram(drawing, values, unit, count) {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const bins = new Array(Math.min(24, high - low + 1)).fill(0);
  const binOf = (value) => Math.min(bins.length - 1,
    Math.floor((value - low) / (high - low + 1) * bins.length));
  for (const value of values) bins[binOf(value)]++;
  const { context, width, height, scale, colour } = drawing;
  const foot = 18 * scale;
  const head = 16 * scale;
  const most = Math.max(...bins);
  const step = width / bins.length;
  context.fillStyle = colour("accent");
  bins.forEach((bin, index) => {
    const size = (height - foot - head) * bin / most;
    const wide = Math.min(step - 2 * scale, 80 * scale);
    context.fillRect(index * step + (step - wide) / 2, height - foot - size, wide, size);
  });
  context.fillStyle = colour("faint");
  context.textBaseline = "bottom";
  context.textAlign = "left";
  context.fillText(`${count(most)} of ${count(values.length)}`, 0, head - 2 * scale);
  if (bins.length === 1) {
    context.textAlign = "center";
    context.fillText(unit(low), width / 2, height);
  } else {
    context.fillText(unit(low), 0, height);
    context.textAlign = "right";
    context.fillText(unit(high), width, height);
  }
}

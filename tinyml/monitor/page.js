"use strict";
// One way: messages -> `fold` -> `state` -> `draw`. What a device says reaches the page as text only.

const KEPT = { reads: 300, rows: 300, heard: 50, text: 200, counters: 600 };
const COLOURS = [
  "#2f7ed8", "#e8743b", "#19a979", "#bf399e", "#945ecf", "#13a4b4",
  "#c9a400", "#6c8893", "#d13d54", "#5b9a2f", "#8b5e3c", "#525df4",
];
const VIRIDIS = [
  [68, 1, 84], [71, 44, 122], [59, 81, 139], [44, 113, 142], [33, 144, 141],
  [39, 173, 129], [92, 200, 99], [170, 220, 50], [253, 231, 37],
];

let state;
let dirty = false;

const $ = (id) => document.getElementById(id);
const count = (number) => number.toLocaleString("en");
const keep = (list, item, most) => {
  list.push(item);
  if (list.length > most) list.splice(0, list.length - most);
};
const make = (tag, text, name) => {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (name) element.className = name;
  return element;
};
const setText = (element, text) => {
  if (element.textContent !== text) element.textContent = text;
};
const colourOf = (index) => COLOURS[index % COLOURS.length];

function fresh() {
  return {
    connection: "connected", reason: "", device: null, read: null, status: null, playing: null,
    reads: [], rows: [], width: 0, counters: [], heard: [], text: [], clips: [], missed: 0,
    damaged: 0,
  };
}

const folds = {
  start: () => { state = fresh(); },
  device: (message) => {
    Object.assign(state, {
      device: message, connection: "connected", reason: "", read: null, reads: [], rows: [],
      counters: [], playing: null, status: null,
    });
  },
  gone: (message) => { state.connection = "gone"; state.reason = message.reason; },
  read: (message) => {
    state.read = message;
    state.damaged = message.bad_frames;
    keep(state.reads, message.scores, KEPT.reads);
    keep(state.counters, message.counter, KEPT.counters);
  },
  rows: (message) => {
    const bytes = Int8Array.from(atob(message.data), (char) => char.charCodeAt(0));
    state.width = message.width;
    for (let at = 0; at < bytes.length; at += message.width) {
      keep(state.rows, bytes.subarray(at, at + message.width), KEPT.rows);
    }
  },
  heard: (message) => keep(state.heard, message, KEPT.heard),
  text: (message) => keep(state.text, message.text, KEPT.text),
  status: (message) => { state.status = message; state.damaged = message.host_bad_frames; },
  playing: (message) => { state.playing = message; },
  clip: (message) => state.clips.push(message),
  missed: (message) => { state.missed = message.count; },
  end: () => { state.connection = "ended"; },
};

function fold(message) {
  if (Object.hasOwn(folds, message.kind)) folds[message.kind](message);
  if (!dirty) {
    dirty = true;
    requestAnimationFrame(() => { dirty = false; draw(); });
  }
}

function listen() {
  const source = new EventSource("/events");
  source.onmessage = (event) => {
    const message = JSON.parse(event.data);
    fold(message);
    if (message.kind === "end") source.close();
  };
  source.onerror = () => {
    if (state.connection !== "ended") {
      state.connection = "lost";
      fold({ kind: "" });
    }
  };
}

function draw() {
  drawHead();
  if (!state.device) return;
  drawBars();
  drawHeard();
  drawScores();
  drawSeen();
  drawLatency();
  drawFigures();
  drawClips();
  drawText();
}

function drawHead() {
  const device = state.device;
  const words = {
    connected: device ? "connected" : "waiting for the device",
    gone: `disconnected: ${state.reason}; waiting for it to come back`,
    lost: "the monitor does not answer",
    ended: "the monitor has ended",
  };
  setText($("state"), words[state.connection]);
  $("state").className = state.connection !== "connected" ? "off" : device ? "" : "wait";
  if (!device) return;
  document.title = `${device.model} on ${device.board}`;
  setText($("title"), device.model);
  const sensor = device.sensor ? `, ${device.sensor} sensor` : "";
  setText($("identity"),
    `${device.sha256.slice(0, 16)} on ${device.board}, runtime ${device.runtime}${sensor}`);
}

function drawBars() {
  const bars = $("bars");
  const labels = state.device.labels;
  const key = JSON.stringify(labels);
  if (bars.dataset.labels !== key) {
    bars.dataset.labels = key;
    bars.replaceChildren(...labels.flatMap((label, index) => {
      const track = make("div", undefined, "track");
      const bar = make("div", undefined, "bar");
      bar.style.background = colourOf(index);
      track.append(bar);
      const name = make("div", label, "label");
      name.title = label;
      return [name, track, make("div", "", "number")];
    }));
  }
  const cells = bars.children;
  labels.forEach((label, index) => {
    const score = state.read ? state.read.scores[index] : 0;
    const isTop = state.read !== null && label === state.read.top;
    cells[3 * index].classList.toggle("top", isTop);
    cells[3 * index + 1].firstChild.style.width = `${Math.min(1, Math.max(0, score)) * 100}%`;
    setText(cells[3 * index + 2], score.toFixed(2));
  });
}

function drawHeard() {
  const playing = state.playing;
  const said = playing && playing.said !== null ? `, said ${playing.said}` : "";
  setText($("playing"), playing
    ? `playing ${playing.name}${said} (${playing.clip + 1} of ${playing.clips}, ` +
      `${Math.floor(100 * playing.done / Math.max(1, playing.total))} %)`
    : "");
  const rows = state.heard.slice().reverse().map((one) => {
    const item = make("li");
    item.append(make("span", `${one.second.toFixed(2)} s`, "number"), make("span", one.label, "top"),
      make("span", one.score.toFixed(2), "number"));
    if (one.said !== null) {
      const right = one.said === one.label;
      item.append(make("span", right ? "right" : `said ${one.said}`, right ? "right" : "wrong"));
    }
    return item;
  });
  $("heard").replaceChildren(...(rows.length ? rows : [make("li", "nothing yet", "none")]));
}

// A canvas in device pixels, and the page's colours, which follow the browser's light or dark.
function canvas(id) {
  const element = $(id);
  const scale = window.devicePixelRatio || 1;
  const width = Math.max(1, Math.round(element.clientWidth * scale));
  const height = Math.max(1, Math.round(element.clientHeight * scale));
  if (element.width !== width || element.height !== height) {
    element.width = width;
    element.height = height;
  }
  const context = element.getContext("2d");
  context.clearRect(0, 0, width, height);
  context.font = `${12 * scale}px system-ui, "DejaVu Sans", sans-serif`;
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  return { context, width, height, scale, colour };
}

function lines(drawing, series, low, high, most, left) {
  const { context, width, height, scale } = drawing;
  const inset = 4 * scale;
  const x = (index, length) => left + (width - left) * (most - length + index) / Math.max(1, most - 1);
  const y = (value) => inset + (height - 2 * inset) * (1 - (value - low) / (high - low));
  context.lineWidth = 1.5 * scale;
  context.lineJoin = "round";
  for (const { values, colour } of series) {
    context.strokeStyle = colour;
    context.beginPath();
    values.forEach((value, index) => context.lineTo(x(index, values.length), y(value)));
    context.stroke();
  }
}

function axis(drawing, marks, low, high) {
  const { context, width, height, scale, colour } = drawing;
  const inset = 4 * scale;
  context.strokeStyle = colour("line");
  context.fillStyle = colour("faint");
  context.lineWidth = scale;
  context.textBaseline = "middle";
  context.textAlign = "left";
  const left = Math.max(...marks.map((mark) => context.measureText(mark.text).width)) + 8 * scale;
  for (const mark of marks) {
    const y = inset + (height - 2 * inset) * (1 - (mark.value - low) / (high - low));
    context.fillText(mark.text, 0, Math.min(height - 7 * scale, Math.max(7 * scale, y)));
    context.beginPath();
    context.moveTo(left, y);
    context.lineTo(width, y);
    context.stroke();
  }
  return left;
}

function drawScores() {
  const drawing = canvas("scores");
  const marks = [0, 0.5, 1].map((value) => ({ value, text: value.toFixed(1) }));
  const left = axis(drawing, marks, 0, 1);
  const labels = state.device.labels;
  const series = labels.map((label, index) => ({
    values: state.reads.map((scores) => scores[index]), colour: colourOf(index),
  }));
  lines(drawing, series, 0, 1, Math.max(30, state.reads.length), left);
  const shown = labels.map((label, index) => ({ label, index }))
    .filter(({ index }) => state.reads.some((scores) => scores[index] >= 0.3));
  const key = JSON.stringify(shown);
  if ($("legend").dataset.shown === key) return;
  $("legend").dataset.shown = key;
  $("legend").replaceChildren(...shown.map(({ label, index }) => {
    const item = make("span", label);
    item.style.setProperty("--colour", colourOf(index));
    return item;
  }));
}

// How a front end's rows look, by its name. Where a row is all that a model reads it is a picture;
// others are drawn like sound.
const pictures = {
  audio: { title: "spectrogram", draw: spectrogram },
  motion: { title: "motion trace", draw: trace },
};
const whole = { title: "pictures", draw: strip };

function pictureOf(shape, width) {
  const isWhole = shape.length === 4 && [1, 3].includes(shape[3]) &&
    width === shape[1] * shape[2] * shape[3];
  return pictures[state.device.features] || (isWhole ? whole : pictures.audio);
}

function drawSeen() {
  const device = state.device;
  const picture = state.rows.length ? pictureOf(device.input_shape, state.width) : null;
  setText($("seen-title"), `What the model sees${picture ? `: ${picture.title}` : ""}`);
  $("seen").hidden = state.rows.length === 0;
  if (picture) picture.draw();
  else if (!device.is_virtual && device.features) {
    setText($("seen-note"),
      `The samples of the ${device.sensor} sensor stay on the board, so there is nothing to draw. ` +
      "To record them: tinyml capture");
  } else setText($("seen-note"), "nothing yet");
}

function seconds(rows) {
  return state.device.stride_ms ? `${(rows * state.device.stride_ms / 1000).toFixed(1)} s` : `${rows} rows`;
}

function spectrogram() {
  const drawing = canvas("seen");
  const { rows, width } = state;
  const most = Math.max(100, rows.length);
  const image = new ImageData(most, width);
  rows.forEach((row, index) => {
    const x = most - rows.length + index;
    for (let band = 0; band < width; band++) {
      image.data.set(viridis((row[band] + 128) / 255), 4 * ((width - 1 - band) * most + x));
    }
  });
  const pixels = document.createElement("canvas");
  pixels.width = most;
  pixels.height = width;
  pixels.getContext("2d").putImageData(image, 0, 0);
  drawing.context.imageSmoothingEnabled = false;
  drawing.context.drawImage(pixels, 0, 0, drawing.width, drawing.height);
  setText($("seen-note"), `the last ${seconds(rows.length)}: ${width} bands, low ones below, as the ` +
    "host's own front end computes them from the samples played");
}

function viridis(share) {
  const at = Math.min(0.9999, Math.max(0, share)) * (VIRIDIS.length - 1);
  const low = VIRIDIS[Math.floor(at)];
  const high = VIRIDIS[Math.floor(at) + 1];
  const part = at - Math.floor(at);
  return [0, 1, 2].map((c) => low[c] + (high[c] - low[c]) * part).concat(255);
}

function trace() {
  const drawing = canvas("seen");
  const { rows, width } = state;
  const most = rows.reduce((far, row) => row.reduce((a, b) => Math.max(a, Math.abs(b)), far), 16);
  const marks = [most, 0, -most].map((value) => ({ value, text: `${value}`.replace("-", "\u2212") }));
  const left = axis(drawing, marks, -most, most);
  const series = Array.from({ length: width }, (_, channel) => ({
    values: rows.map((row) => row[channel]), colour: colourOf(channel),
  }));
  lines(drawing, series, -most, most, Math.max(50, rows.length), left);
  const names = width === 3 ? "x blue, y orange, z green" : `${width} channels`;
  setText($("seen-note"), `the last ${seconds(rows.length)}: ${names}, as the host's own front end ` +
    "computes them from the samples played");
}

// The last rows as pictures, the newest on the right.
function strip() {
  const [height, width, channels] = state.device.input_shape.slice(1);
  const drawing = canvas("seen");
  const gap = 6 * drawing.scale;
  const shown = drawing.height * width / height;
  const pixels = document.createElement("canvas");
  pixels.width = width;
  pixels.height = height;
  drawing.context.imageSmoothingEnabled = false;
  let x = drawing.width - shown;
  for (let at = state.rows.length - 1; at >= 0 && x > -shown; at--, x -= shown + gap) {
    pixels.getContext("2d").putImageData(coloured(state.rows[at], width, height, channels), 0, 0);
    drawing.context.drawImage(pixels, x, 0, shown, drawing.height);
  }
  setText($("seen-note"), `${width} x ${height} pixels, the last on the right, as the host's own ` +
    "front end makes them from the samples played");
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

function drawLatency() {
  const device = state.device;
  const values = state.counters;
  const inTime = device.counter_hz > 0;
  setText($("latency-title"), inTime ? "Latency" : "Cost of an inference");
  const drawing = canvas("latency");
  if (!values.length) return;
  const low = Math.min(...values);
  const high = Math.max(...values);
  const unit = (value) => inTime ? `${(value / device.counter_hz * 1000).toFixed(2)} ms` : count(value);
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
  const sorted = values.slice().sort((a, b) => a - b);
  const share = (part) => unit(sorted[Math.floor((sorted.length - 1) * part)]);
  const what = inTime ? "" : ` ${device.counter_unit}`;
  setText($("latency-note"), `median ${share(0.5)}, 95 % within ${share(0.95)}${what}, of the last ` +
    `${count(values.length)} inferences`);
}

function drawFigures() {
  const { read, status, device } = state;
  const rows = [];
  if (read) {
    rows.push(["inferences", `${count(read.inferences)}, ${read.rate.toFixed(1)} a second`]);
    if (read.factor !== null) rows.push(["speed", `${read.factor.toFixed(2)} times real time`]);
    rows.push(["dropped", `${count(read.dropped)} samples on the board`]);
    rows.push(["lost", `${count(read.lost)} results, ${count(state.damaged)} damaged frames`]);
    rows.push(["front end", `${count(read.front_counter)} ${device.counter_unit} per inference`]);
  }
  if (status) {
    rows.push(["arena", `${count(status.arena_used)} of ${count(status.arena)} bytes`]);
    rows.push(["stack", `at most ${count(status.stack_used)} of ${count(status.stack)} bytes`]);
    rows.push(["constants", `${count(status.constants)} bytes`]);
    rows.push(["up", `${count(Math.round(status.uptime_us / 1e6))} s`]);
  }
  rows.push(["firmware", `${device.version}, runtime ${device.runtime}`]);
  if (state.missed) rows.push(["this page", `missed ${count(state.missed)} messages`]);
  $("figures").replaceChildren(...rows.map(([name, value]) => {
    const row = make("tr");
    const head = make("th", name);
    head.scope = "row";
    row.append(head, make("td", value));
    return row;
  }));
}

function drawClips() {
  $("clips-section").hidden = state.clips.length === 0;
  const head = make("tr");
  head.append(...["clip", "said", "recognised", ""].map((name) => make("th", name)));
  const rows = state.clips.map((clip) => {
    const row = make("tr");
    const verdict = clip.right === null ? "" : clip.right ? "right" : "wrong";
    row.append(make("td", clip.name), make("td", clip.said ?? "?"),
      make("td", clip.heard.join(", ") || "-"), make("td", verdict, verdict));
    return row;
  });
  $("clips").replaceChildren(head, ...rows);
}

function drawText() {
  const element = $("text");
  const atEnd = element.scrollTop + element.clientHeight >= element.scrollHeight - 4;
  setText(element, state.text.join("\n"));
  if (atEnd) element.scrollTop = element.scrollHeight;
}

window.addEventListener("error", (event) => {
  setText($("state"), `this page failed: ${event.message}`);
  $("state").className = "off";
});
state = fresh();
listen();
window.addEventListener("resize", () => fold({ kind: "" }));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => fold({ kind: "" }));

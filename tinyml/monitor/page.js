// The live page. One way: messages -> `page.state.js` -> `draw`. Text of a device is only ever text.

import * as charts from "./page.charts.js";
import { HISTORY_S, firstAt, listen, state } from "./page.state.js";

const $ = (id) => document.getElementById(id);
const count = (number) => number.toLocaleString("en");
const make = (tag, text, name) => {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (name) element.className = name;
  return element;
};
const setText = (element, text) => {
  if (element.textContent !== text) element.textContent = text;
};

const hidden = new Set(); // labels whose line is off
let paused = false;
let end = 0; // of the view, while it does not follow
let pointed = null; // the second under the pointer
let dirty = false;

function changed() {
  if (dirty) return;
  dirty = true;
  requestAnimationFrame(() => { dirty = false; draw(); });
}

function view() {
  const span = Number($("span").value);
  const to = paused ? end : Math.max(span, state.now);
  return { from: to - span, to };
}

function draw() {
  drawHead();
  if (!state.device) return;
  const shown = view();
  drawControls(shown);
  drawBars();
  drawHeard();
  drawLegend();
  drawScores(shown);
  drawSeen(shown);
  drawSensor(shown);
  drawHover();
  drawLatency();
  drawFigures();
  drawClips();
  drawText();
}

const NOTICES = {
  gone: () => `The board is not connected: ${state.reason}. The monitor waits for it to come back; ` +
    "what is shown is from before.",
  lost: () => "The monitor does not answer: what is shown is from before. Is it still running?",
  ended: () => "What is shown is the end of a session that is over. Start another: tinyml monitor --web",
};

function drawHead() {
  const device = state.device;
  const words = {
    connected: device ? "connected" : "waiting for the device", gone: "not connected",
    lost: "the monitor does not answer", ended: "the monitor has ended",
  };
  setText($("state"), words[state.connection]);
  $("state").className = state.connection !== "connected" ? "off" : device ? "" : "wait";
  document.body.classList.toggle("stale", state.connection !== "connected");
  $("notice").hidden = state.connection === "connected";
  setText($("notice"), state.connection === "connected" ? "" : NOTICES[state.connection]());
  if (!device) return;
  document.title = `${device.model} on ${device.board}`;
  setText($("title"), device.model);
  const sensor = device.sensor ? `, ${device.sensor} sensor` : "";
  setText($("identity"),
    `${device.sha256.slice(0, 16)} on ${device.board}, runtime ${device.runtime}${sensor}`);
}

function drawControls(shown) {
  $("pause").setAttribute("aria-pressed", String(paused));
  setText($("pause"), paused ? "Go on" : "Pause");
  const most = Math.max(0, Math.min(HISTORY_S, state.now) - (shown.to - shown.from));
  $("back").max = String(most);
  if (!paused) $("back").value = "0";
  $("record").hidden = !state.device.records;
  $("play").hidden = state.device.features !== "audio";
  if ($("labels").childElementCount !== state.device.labels.length) {
    $("labels").replaceChildren(...state.device.labels.map((label) => {
      const option = make("option");
      option.value = label;
      return option;
    }));
  }
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
      bar.style.background = charts.colourOf(index);
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

// Whether it was as said, as a sign: "right" may be a word that somebody says.
function verdict(isRight, text) {
  const sign = make("span", `${isRight ? "\u2713" : "\u2717"}${text}`, isRight ? "good" : "bad");
  sign.setAttribute("aria-label", `${isRight ? "as said" : "not as said"}${text}`);
  return sign;
}

function drawHeard() {
  const playing = state.playing;
  const said = playing && playing.said !== null ? `, said ${playing.said}` : "";
  setText($("playing"), playing
    ? `playing ${playing.name}${said} (${playing.clip + 1} of ${playing.clips}, ` +
      `${Math.floor(100 * playing.done / Math.max(1, playing.total))} %)`
    : "");
  const rows = state.heard.slice(-50).reverse().map((one) => {
    const item = make("li");
    item.append(make("span", `${one.second.toFixed(2)} s`, "number"), make("span", one.label, "top"),
      make("span", one.score.toFixed(2), "number"));
    if (one.said !== null) {
      const isRight = one.said === one.label;
      item.append(verdict(isRight, isRight ? "" : ` said ${one.said}`));
    }
    return item;
  });
  $("heard").replaceChildren(...(rows.length ? rows : [make("li", "nothing yet", "none")]));
}

function drawLegend() {
  const labels = state.device.labels;
  const key = JSON.stringify(labels);
  if ($("legend").dataset.shown === key) return;
  $("legend").dataset.shown = key;
  $("legend").replaceChildren(...labels.map((label, index) => {
    const item = make("button", label);
    item.type = "button";
    item.style.setProperty("--colour", charts.colourOf(index));
    item.classList.toggle("dashed", charts.dashOf(index).length > 0);
    item.setAttribute("aria-pressed", "true");
    item.addEventListener("click", () => {
      if (!hidden.delete(label)) hidden.add(label);
      item.setAttribute("aria-pressed", String(!hidden.has(label)));
      changed();
    });
    return item;
  }));
}

function drawScores(shown) {
  const drawing = charts.canvas($("scores"));
  const labels = state.device.labels;
  const low = Math.min(0, ...(state.read ? state.read.scores : []));
  charts.timeAxis(drawing, shown);
  charts.valueAxis(drawing, [0, 0.5, 1].map((value) => ({ value, text: value.toFixed(1) })), low, 1);
  charts.clip(drawing, () => {
    labels.forEach((label, index) => {
      if (hidden.has(label)) return;
      charts.line(drawing, shown, state.reads, (read) => read.scores[index] ?? 0, low, 1,
        charts.colourOf(index), charts.dashOf(index));
    });
    if (state.device.threshold !== null) charts.threshold(drawing, state.device.threshold, low, 1);
    charts.marks(drawing, shown, state.heard.filter(({ label }) => !hidden.has(label)),
      (label) => charts.colourOf(Math.max(0, labels.indexOf(label))));
    charts.cursor(drawing, shown, pointed);
  });
}

// How a front end's rows look, by its name. Where a row is all that a model reads it is a picture;
// others are drawn like sound.
const pictures = {
  audio: { title: "spectrogram", draw: spectrogram },
  motion: { title: "motion trace", draw: motion },
};
const whole = { title: "pictures", draw: strip };

function pictureOf(shape, width) {
  const isWhole = shape.length === 4 && [1, 3].includes(shape[3]) &&
    width === shape[1] * shape[2] * shape[3];
  return pictures[state.device.features] || (isWhole ? whole : pictures.audio);
}

function drawSeen(shown) {
  const device = state.device;
  const picture = state.rows.length ? pictureOf(device.input_shape, state.width) : null;
  setText($("seen-title"), `What the model sees${picture ? `: ${picture.title}` : ""}`);
  $("seen").hidden = state.rows.length === 0;
  if (picture) {
    const drawing = charts.canvas($("seen"));
    picture.draw(drawing, shown);
    if (picture !== whole) charts.cursor(drawing, shown, pointed);
  } else if (!device.is_virtual && device.features) {
    setText($("seen-note"),
      `The samples of the ${device.sensor} sensor stay on the board: its line has no room for all ` +
      "of them. To record them: tinyml capture");
  } else setText($("seen-note"), "nothing yet");
}

const MADE = "as the host's own front end computes them from the same samples";

function kept(items) {
  const stride = state.device.stride_ms / 1000;
  return stride ? `the last ${(items.length * stride).toFixed(1)} s` : `${items.length} rows`;
}

function spectrogram(drawing, shown) {
  const stride = state.device.stride_ms / 1000 || 0.02;
  charts.clip(drawing, () => {
    charts.spectrogram(drawing, shown, state.rows, state.width, stride);
  });
  charts.timeAxis(drawing, shown);
  setText($("seen-note"), `${kept(state.rows)}: ${state.width} bands, low ones below, ${MADE}`);
}

const channelNames = (width) =>
  Array.from({ length: width }, (_, at) => (width <= 6 && width % 3 === 0
    ? `${"xyz"[at % 3]}${at > 2 ? " turning" : ""}` : `channel ${at + 1}`));

function channelLegend(element, names) {
  const key = JSON.stringify(names);
  if (element.dataset.shown === key) return;
  element.dataset.shown = key;
  element.replaceChildren(...names.map((name, at) => {
    const item = make("span", name);
    item.style.setProperty("--colour", charts.channelColour(at));
    return item;
  }));
}

function lines(drawing, shown, items, width, valueOf, limit) {
  const marks = [limit, 0, -limit].map((value) => ({ value, text: `${value}`.replace("-", "\u2212") }));
  charts.timeAxis(drawing, shown);
  charts.valueAxis(drawing, marks, -limit, limit);
  charts.clip(drawing, () => {
    for (let channel = 0; channel < width; channel++) {
      charts.line(drawing, shown, items, (item) => valueOf(item, channel), -limit, limit,
        charts.channelColour(channel));
    }
  });
}

const visible = (items, shown) => items.slice(firstAt(items, shown.from), firstAt(items, shown.to));
const largest = (items, valuesOf, least) => items.reduce(
  (far, item) => valuesOf(item).reduce((a, b) => Math.max(a, Math.abs(b)), far), least);

function motion(drawing, shown) {
  const limit = largest(visible(state.rows, shown), (item) => item.row, 16);
  lines(drawing, shown, state.rows, state.width, (item, channel) => item.row[channel], limit);
  channelLegend($("channels"), channelNames(state.width));
  setText($("seen-note"), `${kept(state.rows)}, ${MADE}`);
}

function strip(drawing) {
  const shape = state.device.input_shape.slice(1);
  charts.strip(drawing, state.rows, shape);
  setText($("seen-note"), `${shape[1]} x ${shape[0]} pixels, the last on the right, ${MADE}`);
}

function drawSensor(shown) {
  $("sensor-section").hidden = state.trace.length === 0;
  if (!state.trace.length) return;
  const limit = largest(visible(state.trace, shown), (item) => item.values, 16);
  const each = state.trace[state.trace.length - 1].values.length / state.channels;
  const drawing = charts.canvas($("sensor"));
  for (let side = 0; side < each; side++) {
    if (side === 0) charts.timeAxis(drawing, shown);
    lines(drawing, shown, state.trace, state.channels,
      (item, channel) => item.values[channel * each + side], limit);
  }
  charts.cursor(drawing, shown, pointed);
  setText($("sensor-note"), each > 1
    ? `the lowest and the highest of every few samples of the ${state.device.sensor} sensor`
    : `every sample of the ${state.device.sensor} sensor`);
}

function drawHover() {
  if (pointed === null) {
    setText($("hover"), "Point at a chart to read its values.");
    return;
  }
  const at = Math.min(firstAt(state.reads, pointed), state.reads.length - 1);
  if (at < 0) return;
  const read = state.reads[at];
  const scores = state.device.labels.map((label, index) => ({ label, score: read.scores[index] }))
    .filter(({ label }) => !hidden.has(label)).sort((a, b) => b.score - a.score).slice(0, 4);
  const said = state.heard.filter(({ second }) => Math.abs(second - read.second) < 0.25);
  setText($("hover"), `at ${pointed.toFixed(2)} s: ` +
    scores.map(({ label, score }) => `${label} ${score.toFixed(2)}`).join(", ") +
    (said.length ? `; recognised ${said.map(({ label }) => label).join(", ")}` : ""));
}

function drawLatency() {
  const device = state.device;
  const values = state.counters;
  const inTime = device.counter_hz > 0;
  setText($("latency-title"), inTime ? "Latency" : "Cost of an inference");
  const drawing = charts.canvas($("latency"));
  if (!values.length) return;
  const unit = (value) => inTime ? `${(value / device.counter_hz * 1000).toFixed(2)} ms` : count(value);
  charts.histogram(drawing, values, unit, count);
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
    const last = make("td");
    if (clip.right !== null) last.append(verdict(clip.right, ""));
    row.append(make("td", clip.name), make("td", clip.said ?? "not known"),
      make("td", clip.heard.join(", ") || "-"), last);
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

function pause(on, back = 0) {
  paused = on;
  end = Math.max(Number($("span").value), state.now) - back;
  changed();
}

function save(name, blob) {
  const link = make("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

const quoted = (text) => `"${text.replaceAll('"', '""')}"`;

function saveCsv() {
  const shown = view();
  const head = ["second", ...state.device.labels.map(quoted), "recognised"].join(",");
  const rows = visible(state.reads, { from: shown.from, to: shown.to + 1e-9 }).map((read) => {
    const words = state.heard.filter(({ second }) => second === read.second)
      .map(({ label }) => quoted(label));
    return [read.second.toFixed(3), ...read.scores, words.join(" ")].join(",");
  });
  save("scores.csv", new Blob([[head, ...rows].join("\r\n"), "\r\n"], { type: "text/csv" }));
}

function savePng() {
  const parts = ["scores", "seen", "sensor"].map($).filter((part) => part.clientHeight > 0);
  const picture = document.createElement("canvas");
  picture.width = Math.max(...parts.map((part) => part.width));
  picture.height = parts.reduce((sum, part) => sum + part.height, 0);
  const context = picture.getContext("2d");
  context.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--card");
  context.fillRect(0, 0, picture.width, picture.height);
  let y = 0;
  for (const part of parts) {
    context.drawImage(part, 0, y);
    y += part.height;
  }
  picture.toBlob((blob) => save("charts.png", blob));
}

for (const id of ["scores", "seen", "sensor"]) {
  $(id).addEventListener("pointermove", (event) => {
    pointed = charts.secondAt($(id), view(), event.offsetX);
    changed();
  });
  $(id).addEventListener("pointerleave", () => { pointed = null; changed(); });
}
$("pause").addEventListener("click", () => pause(!paused));
$("span").addEventListener("change", () => pause(paused, Number($("back").value)));
$("back").addEventListener("input", () => {
  const back = Number($("back").value);
  pause(back > 0, back);
});
$("csv").addEventListener("click", saveCsv);
$("png").addEventListener("click", savePng);
$("record").addEventListener("submit", async (event) => {
  event.preventDefault();
  const wish = { label: $("record-label").value, seconds: Number($("record-s").value) };
  $("recorded").hidden = false;
  try {
    const answer = await fetch("/record", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(wish),
    });
    setText($("recorded"), (await answer.json()).text);
  } catch {
    setText($("recorded"), "the monitor does not answer: nothing was recorded");
  }
});
$("play").addEventListener("click", () => {
  new Audio(`/recent.wav?seconds=${Number($("record-s").value)}`).play();
});
window.addEventListener("error", (event) => {
  setText($("state"), `this page failed: ${event.message}`);
  $("state").className = "off";
});
window.addEventListener("resize", changed);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
listen(changed);

// What the page knows: messages are folded into one state, ten minutes of it, and nothing is drawn.

export const HISTORY_S = 600;
const KEPT = { heard: 500, text: 200, counters: 600 };

export let state = fresh();

function fresh() {
  return {
    connection: "connected", reason: "", device: null, read: null, status: null, playing: null,
    reads: [], rows: [], width: 0, trace: [], channels: 0, counters: [], heard: [], text: [], clips: [],
    missed: 0, damaged: 0, now: 0,
  };
}

const keep = (list, item, most) => {
  list.push(item);
  if (list.length > most) list.splice(0, list.length - most);
};

// Items have the second of the stream at which they are; those of more than ten minutes ago go.
function remember(list, item) {
  list.push(item);
  state.now = Math.max(state.now, item.second);
  if (list[0].second < state.now - 1.2 * HISTORY_S) {
    list.splice(0, firstAt(list, state.now - HISTORY_S));
  }
}

// The index of the first item at or after `second`; items are in order of time.
export function firstAt(list, second) {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle].second < second) low = middle + 1;
    else high = middle;
  }
  return low;
}

const bytesOf = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));

const folds = {
  start: () => { state = fresh(); },
  device: (message) => {
    const before = state.device;
    Object.assign(state, {
      device: message, connection: "connected", reason: "", read: null, counters: [],
      playing: null, status: null,
    });
    if (before && before.sha256 !== message.sha256) {
      Object.assign(state, { reads: [], rows: [], trace: [], heard: [] });
    }
  },
  gone: (message) => { state.connection = "gone"; state.reason = message.reason; },
  read: (message) => {
    state.read = message;
    state.damaged = message.bad_frames;
    remember(state.reads, { second: message.second, scores: message.scores });
    keep(state.counters, message.counter, KEPT.counters);
  },
  rows: (message) => {
    const bytes = new Int8Array(bytesOf(message.data).buffer);
    const stride = state.device.stride_ms / 1000;
    state.width = message.width;
    for (let at = 0, row = message.first; at < bytes.length; at += message.width, row++) {
      const second = stride ? message.second + (row + 1) * stride : state.now;
      remember(state.rows, { second, row: bytes.subarray(at, at + message.width) });
    }
  },
  trace: (message) => {
    const values = new Int16Array(bytesOf(message.data).buffer);
    const each = message.channels * (message.step > 1 ? 2 : 1); // a low and a high of each
    state.channels = message.channels;
    for (let at = 0, point = 0; at + each <= values.length; at += each, point++) {
      const second = message.second + point * message.step / message.rate_hz;
      remember(state.trace, { second, values: values.subarray(at, at + each) });
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

export function fold(message) {
  if (Object.hasOwn(folds, message.kind)) folds[message.kind](message);
}

// Listen to the monitor and tell `changed` after every message.
export function listen(changed) {
  const source = new EventSource("/events");
  source.onmessage = (event) => {
    const message = JSON.parse(event.data);
    fold(message);
    changed();
    if (message.kind === "end") source.close();
  };
  source.onerror = () => {
    if (state.connection === "ended") return;
    state.connection = "lost";
    changed();
  };
}

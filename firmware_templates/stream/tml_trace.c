#include "tml_trace.h"

#include <string.h>

#include "tml_front_end.h"

#define CHANNELS 8u /* of an envelope */
#define VALUES ((TML_MAX_PAYLOAD - TML_WIRE_TRACE_BYTES) / 2u)

static struct {
  uint16_t step; /* samples per point, 0 for no trace */
  uint32_t channels;
  uint64_t next;     /* index of the sample that comes next */
  uint64_t first;    /* index of the first sample in the payload */
  uint32_t in_point; /* samples in the point that is being made */
  int16_t low[CHANNELS], high[CHANNELS];
  uint32_t values; /* in the payload */
  uint8_t payload[TML_MAX_PAYLOAD];
} trace;

void tml_trace_command(const tml_request_t *request) {
  tml_wire_watch_t ask;
  tml_wire_get_watch(request->payload, &ask);
  if (ask.step > 1 && tml_front_end.channels > CHANNELS) {
    tml_refuse(request, TML_ERROR_CODE_UNSUPPORTED, (int32_t)tml_front_end.channels,
               "an envelope of so many channels");
    return;
  }
  tml_trace_flush();
  trace.step = ask.step;
  trace.in_point = 0;
  tml_reply(request, request->payload, 0);
}

void tml_trace_start(uint32_t channels) {
  memset(&trace, 0, sizeof trace);
  trace.channels = channels;
}

void tml_trace_flush(void) {
  if (trace.values == 0) {
    return;
  }
  const tml_wire_trace_t head = {trace.first, trace.step};
  tml_wire_put_trace(trace.payload, &head);
  tml_event(TML_TYPE_TRACE, trace.payload, (uint32_t)TML_WIRE_TRACE_BYTES + 2u * trace.values);
  trace.values = 0;
}

static void append(int16_t value) {
  tml_put_u16(trace.payload + TML_WIRE_TRACE_BYTES + 2u * trace.values, (uint16_t)value);
  trace.values++;
}

/* Make one sample part of the point that is being made; returns 1 when that is complete. */
static int widen(const int16_t *sample) {
  for (uint32_t c = 0; c < trace.channels; c++) {
    if (trace.in_point == 0 || sample[c] < trace.low[c]) {
      trace.low[c] = sample[c];
    }
    if (trace.in_point == 0 || sample[c] > trace.high[c]) {
      trace.high[c] = sample[c];
    }
  }
  return ++trace.in_point == trace.step;
}

void tml_trace_put(const int16_t *samples, uint32_t count) {
  const int is_envelope = trace.step > 1;
  const uint32_t point = trace.channels * (is_envelope ? 2u : 1u); /* values */
  for (uint32_t i = 0; trace.step > 0 && i < count; i++) {
    const int16_t *sample = samples + i * trace.channels;
    if (is_envelope && !widen(sample)) {
      continue;
    }
    if (trace.values == 0) {
      trace.first = trace.next + i + 1u - trace.step;
    }
    for (uint32_t c = 0; c < trace.channels; c++) {
      append(is_envelope ? trace.low[c] : sample[c]);
      if (is_envelope) {
        append(trace.high[c]);
      }
    }
    trace.in_point = 0;
    if (trace.values + point > VALUES) {
      tml_trace_flush();
    }
  }
  trace.next += count;
}

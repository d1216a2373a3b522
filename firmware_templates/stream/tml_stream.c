#include "tml_stream.h"

#include <string.h>

#include "model.h"
#include "recognizer.h"
#include "tml_capture.h"
#include "tml_config.h"
#include "tml_front_end.h"
#include "tml_port.h"
#include "tml_run.h"
#include "tml_sensor.h"
#include "tml_trace.h"

#define CHUNK_SAMPLES 128u /* int16 values taken from the sensor at a time */

#define KEPT_RESULTS 16u /* sent again on request: the host asks as soon as the next one comes */
#define RESULT_BYTES (TML_WIRE_STREAM_RESULT_BYTES + TML_LABEL_COUNT)

static const tml_recognizer_config_t recognizer_config = TML_RECOGNIZER_CONFIG;

static struct {
  int running;
  int16_t chunk[CHUNK_SAMPLES];
  const int16_t *next; /* samples of the chunk that the front end has not seen */
  uint32_t left;       /* of them, per channel */
  uint32_t rows;       /* of the window that are filled */
  uint32_t since;      /* rows since the inference before */
  uint64_t front_counter;
  tml_wire_totals_t totals;
  tml_recognizer_t recognizer;
  uint8_t kept[KEPT_RESULTS][RESULT_BYTES]; /* result n at n % KEPT_RESULTS */
} stream;

static uint32_t window_rows(void) {
  return tml_model_input_info(0)->bytes / tml_front_end.row_bytes;
}

/* Why a stream cannot start, as a reply to `request`; 0 when it has started. */
static int start(const tml_request_t *request) {
  if (tml_model_input_info(0)->bytes % tml_front_end.row_bytes != 0 || window_rows() == 0) {
    tml_refuse(request, TML_ERROR_CODE_UNSUPPORTED, (int32_t)tml_front_end.row_bytes,
               "the model's input is not whole rows of the front end");
    return -1;
  }
  memset(&stream, 0, sizeof stream);
  if (tml_front_end_start() < 0 || tml_recognizer_init(&stream.recognizer, &recognizer_config)) {
    tml_refuse(request, TML_ERROR_CODE_UNSUPPORTED, 0, "front end or recognizer settings");
    return -1;
  }
  if (tml_run_reset() < 0) {
    tml_refuse(request, TML_ERROR_CODE_MODEL, tml_run_status(), "reset");
    return -1;
  }
  const int status = tml_sensor_start(tml_front_end.rate_hz, tml_front_end.channels);
  if (status < 0) {
    tml_refuse(request, TML_ERROR_CODE_SENSOR, status,
               status == TML_SENSOR_MISSING ? "there is none" : "it does not start");
    return -1;
  }
  tml_trace_start(tml_front_end.channels);
  stream.since = TML_STREAM_STRIDE_ROWS; /* the first full window is read at once */
  stream.running = 1;
  return 0;
}

void tml_stream_stop(void) {
  if (stream.running) {
    stream.totals.dropped = tml_sensor_overruns();
    tml_sensor_stop();
    stream.running = 0;
  }
}

void tml_stream_totals(tml_wire_totals_t *totals) {
  if (stream.running) {
    stream.totals.dropped = tml_sensor_overruns();
  }
  *totals = stream.totals;
}

static void pack_totals(uint8_t *payload) {
  tml_wire_totals_t totals;
  tml_stream_totals(&totals);
  tml_wire_put_totals(payload, &totals);
}

void tml_stream_command(const tml_request_t *request) {
  tml_wire_stream_request_t ask;
  tml_wire_get_stream_request(request->payload, &ask);
  if (ask.action > TML_ACTION_START) {
    tml_refuse(request, TML_ERROR_CODE_BAD_ARG, ask.action, "action");
    return;
  }
  tml_capture_stop(); /* the sensor has one user */
  tml_stream_stop();
  if (ask.action == TML_ACTION_START && start(request) < 0) {
    return;
  }
  uint8_t payload[TML_WIRE_TOTALS_BYTES];
  pack_totals(payload);
  tml_reply(request, payload, sizeof payload);
}

void tml_stream_resend(const tml_request_t *request) {
  tml_wire_resend_t ask;
  tml_wire_get_resend(request->payload, &ask);
  const uint32_t made = stream.totals.results;
  if (ask.number >= made || made - ask.number > KEPT_RESULTS) {
    tml_refuse(request, TML_ERROR_CODE_BAD_ARG, (int32_t)ask.number, "number");
    return;
  }
  tml_reply(request, stream.kept[ask.number % KEPT_RESULTS], RESULT_BYTES);
}

int tml_stream_running(void) { return stream.running; }

static uint8_t highest(const int8_t *scores, uint32_t count) {
  uint32_t best = 0;
  for (uint32_t i = 1; i < count; i++) {
    if (scores[i] > scores[best]) {
      best = i;
    }
  }
  return (uint8_t)best;
}

/* One inference on the window, told to the host. */
static void infer(void) {
  tml_wire_stream_result_t result = {.event = TML_NO_LABEL};
  const int status = tml_run(&result.infer_counter);
  if (status < 0) {
    tml_stream_stop();
    tml_error_event(TML_ERROR_CODE_MODEL, status, "invoke");
    return;
  }
  tml_trace_flush(); /* a slow sensor fills no frame for long */
  const int8_t *scores = tml_model_output(0);
  const uint64_t sample = stream.totals.samples;
  tml_event_t event;
  result.number = stream.totals.results++;
  result.sample = sample;
  result.time_us = tml_port_time_us();
  result.front_counter = stream.front_counter;
  result.dropped = tml_sensor_overruns();
  result.top = highest(scores, TML_LABEL_COUNT);
  if (tml_recognizer_push(&stream.recognizer, scores, sample, &event)) {
    result.event = event.label;
    result.score = event.score;
  }
  stream.front_counter = 0;
  uint8_t *payload = stream.kept[result.number % KEPT_RESULTS];
  tml_wire_put_stream_result(payload, &result);
  memcpy(payload + TML_WIRE_STREAM_RESULT_BYTES, scores, TML_LABEL_COUNT);
  tml_event(TML_TYPE_RESULT, payload, RESULT_BYTES);
}

/* A row was completed: infer where it is time, then make room for the next row. */
static void row_done(void) {
  stream.rows++;
  stream.since++;
  if (stream.rows < window_rows()) {
    return;
  }
  if (stream.since >= TML_STREAM_STRIDE_ROWS) {
    stream.since = 0;
    infer();
  }
  uint8_t *window = tml_run_input(0);
  stream.rows--;
  memmove(window, window + tml_front_end.row_bytes, stream.rows * tml_front_end.row_bytes);
}

int tml_stream_turn(void) {
  if (!stream.running) {
    return 0;
  }
  if (stream.left == 0) {
    stream.next = stream.chunk;
    stream.left = tml_sensor_read(stream.chunk, CHUNK_SAMPLES / tml_front_end.channels);
    tml_trace_put(stream.chunk, stream.left);
  }
  if (stream.left == 0) {
    if (!tml_sensor_ended()) {
      return 0;
    }
    uint8_t payload[TML_WIRE_TOTALS_BYTES];
    tml_trace_flush();
    tml_stream_stop();
    pack_totals(payload);
    tml_event(TML_TYPE_ENDED, payload, sizeof payload);
    return 1;
  }
  int8_t *row = (int8_t *)tml_run_input(0) + stream.rows * tml_front_end.row_bytes;
  const uint32_t before = stream.left;
  const uint64_t start_counter = tml_port_counter();
  const int ready = tml_front_end_push(&stream.next, &stream.left, row);
  stream.front_counter += tml_port_counter() - start_counter;
  stream.totals.samples += before - stream.left;
  if (ready) {
    row_done();
  }
  return 1;
}

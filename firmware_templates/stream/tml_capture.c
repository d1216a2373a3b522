#include "tml_capture.h"

#include <string.h>

#include "tml_port.h"
#include "tml_sensor.h"
#include "tml_stream.h"

#define CHUNK_VALUES ((TML_MAX_PAYLOAD - TML_WIRE_CHUNK_BYTES) / 2u) /* int16 values of a full one */
#define CHUNK_US 50000u /* a chunk goes out after this time however little is in it */

static struct {
  int running;
  int16_t *ring;     /* borrowed memory */
  uint32_t values;   /* of the ring in use: a whole number of samples */
  uint32_t to, from; /* where it is written and read next */
  uint32_t waiting;  /* values between the two */
  uint32_t left;     /* samples still to be read */
  uint64_t chunk_us; /* when the last chunk went out */
  tml_wire_capture_t asked;
  tml_wire_captured_t done;
} capture;

void tml_capture_stop(void) {
  if (!capture.running) {
    return;
  }
  if (capture.asked.rate_hz != 0) {
    capture.done.dropped = tml_sensor_overruns();
    tml_sensor_stop();
  }
  tml_port_give_back();
  capture.running = 0;
}

/* Start what `ask` wants; returns 0, or -1 after a refusal. */
static int start(const tml_request_t *request, const tml_wire_capture_t *ask) {
  memset(&capture, 0, sizeof capture);
  if (ask->channels == 0 || ask->channels > CHUNK_VALUES || ask->count == 0) {
    tml_refuse(request, TML_ERROR_CODE_BAD_ARG, ask->channels, "channels or count");
    return -1;
  }
  if (ask->rate_hz != 0) {
    const int status = tml_sensor_start(ask->rate_hz, ask->channels);
    if (status < 0) {
      tml_refuse(request, TML_ERROR_CODE_SENSOR, status,
                 status == TML_SENSOR_MISSING ? "there is none" : "it does not start");
      return -1;
    }
  }
  /* The sensor first: its library may want some of the memory that is left. */
  uint32_t bytes;
  capture.ring = tml_port_borrow(&bytes);
  capture.asked = *ask;
  capture.running = 1;
  capture.values = bytes / 2u / ask->channels * ask->channels;
  capture.done.room = capture.values / ask->channels;
  capture.left = ask->count;
  capture.chunk_us = tml_port_time_us();
  if (capture.values < CHUNK_VALUES) {
    tml_capture_stop();
    tml_refuse(request, TML_ERROR_CODE_STATE, (int32_t)bytes, "no memory is left to record into");
    return -1;
  }
  return 0;
}

void tml_capture_command(const tml_request_t *request) {
  tml_wire_capture_t ask;
  tml_wire_get_capture(request->payload, &ask);
  if (ask.action > TML_ACTION_START) {
    tml_refuse(request, TML_ERROR_CODE_BAD_ARG, ask.action, "action");
    return;
  }
  tml_stream_stop();
  tml_capture_stop();
  if (ask.action == TML_ACTION_START && start(request, &ask) < 0) {
    return;
  }
  uint8_t payload[TML_WIRE_CAPTURED_BYTES];
  tml_wire_put_captured(payload, &capture.done);
  tml_reply(request, payload, sizeof payload);
}

/* Take samples while there is room up to the ring's end; returns how many. */
static uint32_t take(void) {
  const uint32_t room = capture.values - capture.waiting;
  const uint32_t to_end = capture.values - capture.to;
  uint32_t count = (room < to_end ? room : to_end) / capture.asked.channels;
  count = count < capture.left ? count : capture.left;
  if (capture.asked.rate_hz != 0) {
    count = tml_sensor_read(capture.ring + capture.to, count);
    capture.done.dropped = tml_sensor_overruns();
  } else {
    memset(capture.ring + capture.to, 0, count * capture.asked.channels * sizeof *capture.ring);
  }
  const uint32_t values = count * capture.asked.channels;
  capture.to = (capture.to + values) % capture.values;
  capture.waiting += values;
  capture.left -= count;
  return count;
}

static void send_chunk(void) {
  const uint32_t full = CHUNK_VALUES / capture.asked.channels * capture.asked.channels;
  const uint32_t to_end = capture.values - capture.from;
  uint32_t values = capture.waiting < full ? capture.waiting : full;
  values = values < to_end ? values : to_end;
  const tml_wire_chunk_t head = {capture.done.samples, capture.done.dropped};
  uint8_t payload[TML_MAX_PAYLOAD];
  tml_wire_put_chunk(payload, &head);
  for (uint32_t i = 0; i < values; i++) {
    tml_put_u16(payload + TML_WIRE_CHUNK_BYTES + 2u * i,
                (uint16_t)capture.ring[capture.from + i]);
  }
  capture.from = (capture.from + values) % capture.values;
  capture.waiting -= values;
  capture.done.samples += values / capture.asked.channels;
  capture.chunk_us = tml_port_time_us();
  tml_event(TML_TYPE_CHUNK, payload, (uint32_t)TML_WIRE_CHUNK_BYTES + 2u * values);
}

static void finish(void) {
  tml_capture_stop();
  const tml_wire_totals_t totals = {capture.done.samples, 0, capture.done.dropped};
  uint8_t payload[TML_WIRE_TOTALS_BYTES];
  tml_wire_put_totals(payload, &totals);
  tml_event(TML_TYPE_ENDED, payload, sizeof payload);
}

int tml_capture_turn(void) {
  if (!capture.running) {
    return 0;
  }
  const uint32_t taken = take();
  const int complete =
      capture.left == 0 || (capture.asked.rate_hz != 0 && tml_sensor_ended());
  const int due = capture.waiting >= CHUNK_VALUES || complete ||
                  tml_port_time_us() - capture.chunk_us >= CHUNK_US;
  if (capture.waiting > 0 && due) {
    send_chunk();
    return 1;
  }
  if (capture.waiting == 0 && complete) {
    finish();
    return 1;
  }
  return taken > 0;
}

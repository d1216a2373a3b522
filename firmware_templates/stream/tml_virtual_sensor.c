/* A sensor whose samples come from the host, in SENSOR frames that credit lets it send.
 *
 * Credit is never more than there is room for, so nothing is ever dropped, and the index of a
 * sample is its time: results do not depend on the speed of the line.
 */
#include <string.h>

#include "tml_bytes.h"
#include "tml_line.h"
#include "tml_port.h"
#include "tml_sensor.h"
#include "tml_stream.h"

#define RING_VALUES 4096u /* int16 values, all channels together */
#define NO_END UINT64_MAX

static struct {
  int16_t ring[RING_VALUES];
  uint32_t channels; /* 0 while stopped */
  uint64_t next;     /* sample that arrives next; all indices are per channel */
  uint64_t read;     /* sample that is read next */
  uint64_t limit;    /* samples below it may come, as the host knows */
  uint64_t end;
  int rewinding; /* a gap was reported and not yet closed */
} sensor;

static uint64_t capacity(void) { return RING_VALUES / sensor.channels; }

/* Samples that may be under way: as frames they take about a tenth more than their two bytes per
 * value; a quarter of the window is left for requests. */
static uint64_t window(void) {
  return tml_port_receive_bytes() * 3u / 8u / sensor.channels;
}

static void send_credit(int rewind) {
  const tml_wire_credit_t credit = {sensor.next, sensor.limit, (uint8_t)rewind};
  uint8_t payload[TML_WIRE_CREDIT_BYTES];
  tml_wire_put_credit(payload, &credit);
  tml_event(TML_TYPE_CREDIT, payload, sizeof payload);
}

/* Tell the host about new room: when it is worth a frame, or the host has nothing left to send. */
static void grant(void) {
  const uint64_t room = sensor.read + capacity();
  uint64_t limit = sensor.next + window();
  if (limit > room) {
    limit = room;
  }
  if (limit > sensor.limit &&
      (limit - sensor.limit >= window() / 4u || sensor.limit == sensor.next)) {
    sensor.limit = limit;
    send_credit(0);
  }
}

int tml_sensor_start(uint32_t rate_hz, uint32_t channels) {
  (void)rate_hz; /* the host resamples; here only the index counts */
  memset(&sensor, 0, sizeof sensor);
  sensor.channels = channels;
  sensor.end = NO_END;
  return 0;
}

void tml_sensor_stop(void) { sensor.channels = 0; }

uint32_t tml_sensor_overruns(void) { return 0; }

int tml_sensor_ended(void) { return sensor.read == sensor.end; }

uint32_t tml_sensor_read(int16_t *samples, uint32_t count) {
  const uint64_t there = sensor.next - sensor.read;
  if (count > there) {
    count = (uint32_t)there;
  }
  uint32_t from = (uint32_t)(sensor.read % capacity()) * sensor.channels;
  for (uint32_t i = 0; i < count * sensor.channels; i++) {
    samples[i] = sensor.ring[from];
    from = from + 1 == capacity() * sensor.channels ? 0 : from + 1;
  }
  sensor.read += count;
  grant();
  return count;
}

/* Put `count` samples at sensor.next; there is room for them. */
static void keep(const uint8_t *bytes, uint64_t count) {
  uint32_t to = (uint32_t)(sensor.next % capacity()) * sensor.channels;
  for (uint32_t i = 0; i < count * sensor.channels; i++) {
    sensor.ring[to] = (int16_t)tml_get_u16(bytes + 2u * i);
    to = to + 1 == capacity() * sensor.channels ? 0 : to + 1;
  }
  sensor.next += count;
}

void tml_sensor_command(const tml_request_t *request) {
  tml_wire_sensor_t ask;
  tml_wire_get_sensor(request->payload, &ask);
  if (sensor.channels == 0) {
    tml_refuse(request, TML_ERROR_CODE_STATE, 0, "STREAM start comes first");
    return;
  }
  const uint32_t bytes = request->header.bytes - (uint32_t)TML_WIRE_SENSOR_BYTES;
  const uint32_t sample_bytes = 2u * sensor.channels;
  if (bytes % sample_bytes != 0) {
    tml_refuse(request, TML_ERROR_CODE_BAD_ARG, (int32_t)bytes, "length");
    return;
  }
  const uint64_t count = bytes / sample_bytes;
  /* A gap, or more than was allowed: nothing of it is taken, and the host hears of it once. */
  if (ask.index > sensor.next || ask.index + count > sensor.limit) {
    if (!sensor.rewinding) {
      sensor.rewinding = 1;
      send_credit(1);
    }
    return;
  }
  const uint64_t known = sensor.next - ask.index; /* samples that came before */
  sensor.rewinding = 0;
  if (count == 0 && known == 0) {
    sensor.end = sensor.next;
  } else if (known < count) {
    keep(request->payload + TML_WIRE_SENSOR_BYTES + known * sample_bytes, count - known);
  } else {
    send_credit(0); /* nothing new: a host that repeats itself may have missed its credit */
  }
}

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
  uint32_t values;   /* of the ring in use: a whole number of samples */
  uint32_t to, from; /* where the ring is written and read next */
  uint32_t window;   /* samples that may be under way */
  uint64_t next;     /* sample that arrives next; all indices are per channel */
  uint64_t read;     /* sample that is read next */
  uint64_t limit;    /* samples below it may come, as the host knows */
  uint64_t end;
  int rewinding; /* a gap was reported and not yet closed */
} sensor;

static void send_credit(int rewind) {
  const tml_wire_credit_t credit = {sensor.next, sensor.limit, (uint8_t)rewind};
  uint8_t payload[TML_WIRE_CREDIT_BYTES];
  tml_wire_put_credit(payload, &credit);
  tml_event(TML_TYPE_CREDIT, payload, sizeof payload);
}

/* Tell the host about new room: when it is worth a frame, or the host has nothing left to send. */
static void grant(void) {
  const uint32_t waiting = (uint32_t)(sensor.next - sensor.read);
  const uint32_t room = sensor.values / sensor.channels - waiting;
  const uint64_t limit = sensor.next + (room < sensor.window ? room : sensor.window);
  if (limit > sensor.limit &&
      (limit - sensor.limit >= sensor.window / 4u || sensor.limit == sensor.next)) {
    sensor.limit = limit;
    send_credit(0);
  }
}

int tml_sensor_start(uint32_t rate_hz, uint32_t channels) {
  (void)rate_hz; /* the host resamples; here only the index counts */
  memset(&sensor, 0, sizeof sensor);
  sensor.channels = channels;
  sensor.values = RING_VALUES / channels * channels;
  /* As frames, samples take about a tenth more than their two bytes per value; a quarter of the
   * port's window is left for requests. */
  sensor.window = tml_port_receive_bytes() * 3u / 8u / channels;
  sensor.end = NO_END;
  return 0;
}

void tml_sensor_stop(void) { sensor.channels = 0; }

uint32_t tml_sensor_overruns(void) { return 0; }

int tml_sensor_ended(void) { return sensor.read >= sensor.end; }

uint32_t tml_sensor_read(int16_t *samples, uint32_t count) {
  const uint32_t waiting = (uint32_t)(sensor.next - sensor.read);
  if (count > waiting) {
    count = waiting;
  }
  for (uint32_t i = 0; i < count * sensor.channels; i++) {
    samples[i] = sensor.ring[sensor.from];
    sensor.from = sensor.from + 1 == sensor.values ? 0 : sensor.from + 1;
  }
  sensor.read += count;
  grant();
  return count;
}

/* Put `values` at sensor.to; there is room for them. */
static void keep(const uint8_t *bytes, uint32_t values) {
  for (uint32_t i = 0; i < values; i++) {
    sensor.ring[sensor.to] = (int16_t)tml_get_u16(bytes + 2u * i);
    sensor.to = sensor.to + 1 == sensor.values ? 0 : sensor.to + 1;
  }
  sensor.next += values / sensor.channels;
}

void tml_sensor_command(const tml_request_t *request) {
  tml_wire_sensor_samples_t ask;
  tml_wire_get_sensor_samples(request->payload, &ask);
  if (sensor.channels == 0) {
    tml_refuse(request, TML_ERROR_CODE_STATE, 0, "STREAM or CAPTURE start comes first");
    return;
  }
  const uint32_t bytes = request->header.bytes - (uint32_t)TML_WIRE_SENSOR_SAMPLES_BYTES;
  const uint32_t sample_bytes = 2u * sensor.channels;
  if (bytes % sample_bytes != 0) {
    tml_refuse(request, TML_ERROR_CODE_BAD_ARG, (int32_t)bytes, "length");
    return;
  }
  const uint32_t count = bytes / sample_bytes;
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
    const uint32_t skip = (uint32_t)known * sample_bytes;
    keep(request->payload + TML_WIRE_SENSOR_SAMPLES_BYTES + skip, (bytes - skip) / 2u);
  } else {
    send_credit(0); /* nothing new: a host that repeats itself may have missed its credit */
  }
}

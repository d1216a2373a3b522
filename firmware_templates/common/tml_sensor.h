/* tml_sensor.h: the source of samples. A firmware has exactly one driver: virtual or a real one.
 *
 * Samples are int16, interleaved by channel. The index of a sample (per channel, from 0 at start)
 * is the clock of everything above: results never depend on how fast the line is.
 */
#ifndef TML_SENSOR_H
#define TML_SENSOR_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Why a sensor does not start; drivers may have further reasons below these. */
enum {
  TML_SENSOR_SETTINGS = -1, /* it has no such rate or number of channels */
  TML_SENSOR_MISSING = -2   /* nothing answers, or nothing is heard */
};

/* Start sampling at index 0. Returns 0, or a negative reason. */
int tml_sensor_start(uint32_t rate_hz, uint32_t channels);

/* Take up to `capacity` samples per channel; returns how many. Never blocks. */
uint32_t tml_sensor_read(int16_t *samples, uint32_t capacity);

/* 1 when all samples were read and no more will come; only a virtual sensor ends. */
int tml_sensor_ended(void);

void tml_sensor_stop(void);

/* Samples lost since start because nobody read in time. */
uint32_t tml_sensor_overruns(void);

#ifdef __cplusplus
}
#endif

#endif

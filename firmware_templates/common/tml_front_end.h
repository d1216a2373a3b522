/* tml_front_end.h: what a stream needs of a front end; a firmware has one or none.
 *
 * front_ends/<name>/ implements it for the front end <name> of tinyml/features, in terms of the
 * settings TML_FEATURE_... in tml_config.h.
 */
#ifndef TML_FRONT_END_H
#define TML_FRONT_END_H

#include <stdint.h>

typedef struct {
  uint32_t rate_hz;   /* of the sensor */
  uint32_t channels;  /* of the sensor; its samples are interleaved by channel */
  uint32_t row_bytes; /* of a feature row; the model's input is rows in chronological order */
} tml_front_end_t;

extern const tml_front_end_t tml_front_end;

/* Start at sample 0. Returns 0, or negative where the settings are impossible. */
int tml_front_end_start(void);

/* Take samples until a row is ready or none are left; moves *samples and *count (samples per
 * channel) past what it took. Returns 1 when `row` is complete; until then it may be written in parts:
 * pass the same again. */
int tml_front_end_push(const int16_t **samples, uint32_t *count, int8_t *row);

#endif

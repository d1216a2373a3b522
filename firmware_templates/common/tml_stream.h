/* tml_stream.h: sensor -> front end -> model -> recognizer -> RESULT events, a bit at a time.
 *
 * A firmware without a front end has the same functions, which refuse: tml_absent.c.
 */
#ifndef TML_STREAM_H
#define TML_STREAM_H

#include "tml_line.h"

/* Answer STREAM. */
void tml_stream_command(const tml_request_t *request);

/* Answer SENSOR: takes the samples where the sensor is the virtual one, else refuses. */
void tml_sensor_command(const tml_request_t *request);

/* Answer RESEND: one of the last results again, also after the stream has ended. */
void tml_stream_resend(const tml_request_t *request);

/* End the stream, if one runs. */
void tml_stream_stop(void);

/* Whether a stream runs, and with it uses the model and the kept inputs. */
int tml_stream_running(void);

/* Do at most one feature frame's work, an inference included; returns 1 when there was some. */
int tml_stream_turn(void);

/* Samples, results and losses of the stream that runs or ran last. */
void tml_stream_totals(tml_wire_totals_t *totals);

#endif

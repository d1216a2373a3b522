/* tml_trace.h: what a stream's sensor gives, told to a host that watches: samples, or an envelope.
 *
 * A firmware without a front end has tml_trace_command alone, which refuses.
 */
#ifndef TML_TRACE_H
#define TML_TRACE_H

#include "tml_line.h"

/* Answer WATCH: it says how many samples make a point of the trace of the stream that runs. */
void tml_trace_command(const tml_request_t *request);

/* A stream begins, untraced, whose samples have `channels` values; the first has index 0. */
void tml_trace_start(uint32_t channels);

/* The stream has read `count` samples, int16 interleaved by channel. */
void tml_trace_put(const int16_t *samples, uint32_t count);

/* Send what waits for a full frame. */
void tml_trace_flush(void);

#endif

/* tml_capture.h: sensor -> memory -> CHUNK events, a bit at a time: recordings for the host.
 *
 * What the line does not carry in time waits in memory that the board has left. A firmware without
 * a front end has the same functions, which refuse: tml_absent.c.
 */
#ifndef TML_CAPTURE_H
#define TML_CAPTURE_H

#include "tml_line.h"

/* Answer CAPTURE. */
void tml_capture_command(const tml_request_t *request);

/* End the capture, if one runs, and give sensor and memory back. */
void tml_capture_stop(void);

/* Take what the sensor has and send at most one chunk; returns 1 when there was something to do. */
int tml_capture_turn(void);

#endif

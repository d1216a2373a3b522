/* tml_line.h: frames on the serial line, in both directions. No heap; state is static.
 *
 * Frames that arrive are checked and handed on; whatever is damaged is counted, skipped and
 * reported at a limited rate. Text between frames is for others (tml_text.h). Frames that leave are
 * written into one buffer, so one reply or event is made at a time.
 */
#ifndef TML_LINE_H
#define TML_LINE_H

#include <stdint.h>

#include "tml_protocol.h"

/* A checked frame from the host. The payload has header.bytes bytes, of any alignment. */
typedef struct {
  tml_wire_header_t header;
  const uint8_t *payload;
} tml_request_t;

typedef void (*tml_line_handler_t)(const tml_request_t *request);
typedef void (*tml_text_handler_t)(uint8_t byte);

/* Take what the port has received: call handler for every frame, and text for every byte, where it
 * is not NULL. Returns 1 when bytes came. */
int tml_line_poll(tml_line_handler_t handler, tml_text_handler_t text);

/* Good frames from the host, and damaged ones, since start. */
uint32_t tml_line_frames(void);
uint32_t tml_line_bad_frames(void);

/* A short reply, an event and a refusal each go out at once in a frame of their own. */
void tml_reply(const tml_request_t *request, const uint8_t *payload, uint32_t bytes);
void tml_event(uint8_t type, const uint8_t *payload, uint32_t bytes);
void tml_refuse(const tml_request_t *request, uint8_t code, int32_t value, const char *text);

/* An ERROR that answers no request. */
void tml_error_event(uint8_t code, int32_t value, const char *text);

/* A long reply: begin, then put bytes, then end. Frames go out as they fill, or on a flush. */
void tml_body_begin(const tml_request_t *request);
void tml_body_put(const void *data, uint32_t bytes);
void tml_body_put_text(const char *text); /* as a Text of the protocol; cut at 255 bytes */
void tml_body_flush(void);
void tml_body_end(void);

#endif

#include "tml_line.h"

#include <string.h>

#include "tml_crc.h"
#include "tml_port.h"

#define READ_BYTES 64u
#define REPORT_US 250000u /* damaged frames are reported this seldom while no good one comes */
#define TEXT_BYTES 255u

/* The frame that is arriving: COBS is undone byte by byte, so it needs no second buffer. */
static struct {
  uint8_t content[TML_MAX_CONTENT];
  uint32_t bytes; /* in content */
  uint8_t code;   /* newest COBS code, 0 before the first byte of a frame */
  uint8_t left;   /* bytes of its run that have not come yet */
  uint8_t overflow;
  uint8_t unprintable; /* whether a byte came that text between frames does not have */
} in;

/* The frame that is leaving, before and after COBS with its two zeros. */
static struct {
  uint8_t content[TML_MAX_CONTENT];
  uint8_t encoded[TML_MAX_ENCODED + 2];
  uint8_t event_seq;
} out;

/* The long reply that is being made; its pieces grow in out.content. */
static struct {
  uint8_t type;
  uint8_t seq;
  uint32_t offset; /* of the piece in the body */
  uint32_t bytes;  /* of the piece so far */
} body;

#define BODY_BYTES (TML_MAX_PAYLOAD - TML_WIRE_PIECE_BYTES)

static struct {
  uint32_t frames;
  uint32_t bad_frames;
  uint32_t reported_frames; /* good ones at the last report: a host that talks hears of each loss */
  uint64_t reported_us;
} count;

static uint8_t *payload(void) { return out.content + TML_WIRE_HEADER_BYTES; }

/* Encode out.content and send it with a zero before and after. */
static void transmit(uint32_t content_bytes) {
  uint8_t *to = out.encoded;
  *to++ = 0;
  uint8_t *code = to++;
  for (uint32_t i = 0; i < content_bytes; i++) {
    if (out.content[i] != 0) {
      *to++ = out.content[i];
    }
    if (out.content[i] == 0 || to - code == 255) {
      *code = (uint8_t)(to - code);
      code = to++;
    }
  }
  *code = (uint8_t)(to - code);
  *to++ = 0;
  tml_port_write(out.encoded, (uint32_t)(to - out.encoded));
}

/* Send the payload that already lies in its place. */
static void send(uint8_t type, uint8_t flags, uint8_t seq, uint32_t bytes) {
  const tml_wire_header_t header = {TML_PROTOCOL_VERSION, type, flags, seq, (uint16_t)bytes};
  tml_wire_put_header(out.content, &header);
  const uint32_t checked = TML_WIRE_HEADER_BYTES + bytes;
  tml_put_u32(out.content + checked, tml_crc32(out.content, checked));
  transmit(checked + TML_CRC_BYTES);
}

void tml_reply(const tml_request_t *request, const uint8_t *data, uint32_t bytes) {
  memmove(payload(), data, bytes);
  send(request->header.type, TML_FLAG_RESPONSE, request->header.seq, bytes);
}

void tml_event(uint8_t type, const uint8_t *data, uint32_t bytes) {
  memmove(payload(), data, bytes);
  send(type, TML_FLAG_EVENT, out.event_seq++, bytes);
}

static uint32_t put_text(uint8_t *to, const char *text) {
  const size_t length = strlen(text);
  const uint8_t bytes = (uint8_t)(length < TEXT_BYTES ? length : TEXT_BYTES);
  to[0] = bytes;
  memcpy(to + 1, text, bytes);
  return 1u + bytes;
}

static uint32_t put_error(uint8_t code, uint8_t type, int32_t value, const char *text) {
  const tml_wire_error_t error = {code, type, value};
  tml_wire_put_error(payload(), &error);
  return TML_WIRE_ERROR_BYTES + put_text(payload() + TML_WIRE_ERROR_BYTES, text);
}

void tml_refuse(const tml_request_t *request, uint8_t code, int32_t value, const char *text) {
  const uint32_t bytes = put_error(code, request->header.type, value, text);
  send(TML_TYPE_ERROR, TML_FLAG_RESPONSE | TML_FLAG_ERROR, request->header.seq, bytes);
}

void tml_error_event(uint8_t code, int32_t value, const char *text) {
  const uint32_t bytes = put_error(code, 0, value, text);
  send(TML_TYPE_ERROR, TML_FLAG_EVENT | TML_FLAG_ERROR, out.event_seq++, bytes);
}

void tml_body_begin(const tml_request_t *request) {
  body.type = request->header.type;
  body.seq = request->header.seq;
  body.offset = 0;
  body.bytes = 0;
}

static void send_piece(uint8_t flags) {
  const tml_wire_piece_t piece = {body.offset};
  tml_wire_put_piece(payload(), &piece);
  send(body.type, flags, body.seq, TML_WIRE_PIECE_BYTES + body.bytes);
  body.offset += body.bytes;
  body.bytes = 0;
}

void tml_body_put(const void *data, uint32_t bytes) {
  const uint8_t *from = data;
  while (bytes > 0) {
    /* A full piece waits until more comes: only then is it known not to be the last one. */
    if (body.bytes == BODY_BYTES) {
      send_piece(TML_FLAG_RESPONSE | TML_FLAG_MORE);
    }
    const uint32_t room = BODY_BYTES - body.bytes;
    const uint32_t part = bytes < room ? bytes : room;
    memcpy(payload() + TML_WIRE_PIECE_BYTES + body.bytes, from, part);
    body.bytes += part;
    from += part;
    bytes -= part;
  }
}

void tml_body_put_text(const char *text) {
  uint8_t record[1u + TEXT_BYTES];
  tml_body_put(record, put_text(record, text));
}

void tml_body_flush(void) { send_piece(TML_FLAG_RESPONSE | TML_FLAG_MORE); }

void tml_body_end(void) { send_piece(TML_FLAG_RESPONSE); }

static void keep(uint8_t byte) {
  if (in.bytes < sizeof in.content) {
    in.content[in.bytes++] = byte;
  } else {
    in.overflow = 1;
  }
}

static int is_frame(tml_wire_header_t *header) {
  if (in.left != 0 || in.overflow || in.bytes < TML_WIRE_HEADER_BYTES + TML_CRC_BYTES) {
    return 0;
  }
  const uint32_t checked = in.bytes - TML_CRC_BYTES;
  tml_wire_get_header(in.content, header);
  return tml_get_u32(in.content + checked) == tml_crc32(in.content, checked) &&
         header->bytes == checked - TML_WIRE_HEADER_BYTES;
}

static void count_bad_frame(void) {
  const uint64_t now = tml_port_time_us();
  count.bad_frames++;
  if (count.bad_frames == 1 || count.frames != count.reported_frames ||
      now - count.reported_us >= REPORT_US) {
    count.reported_us = now;
    count.reported_frames = count.frames;
    tml_error_event(TML_ERROR_CODE_BAD_FRAME, (int32_t)(count.bad_frames & 0x7FFFFFFFu), "");
  }
}

/* A zero came: what lies between it and the zero before is a frame, or damaged, or text. */
static void finish(tml_line_handler_t handler) {
  tml_request_t request = {.payload = in.content + TML_WIRE_HEADER_BYTES};
  const int good = in.code != 0 && is_frame(&request.header);
  const int damaged = !good && in.unprintable;
  in.bytes = 0;
  in.code = in.left = in.overflow = in.unprintable = 0;
  if (good) {
    count.frames++;
    handler(&request);
  } else if (damaged) {
    count_bad_frame();
  }
}

static void receive(uint8_t byte, tml_line_handler_t handler) {
  if (byte == 0) {
    finish(handler);
    return;
  }
  if ((byte < ' ' && byte != '\t' && byte != '\r' && byte != '\n') || byte > '~') {
    in.unprintable = 1;
  }
  if (in.left == 0) {
    if (in.code != 0 && in.code != 255) {
      keep(0);
    }
    in.code = byte;
    in.left = (uint8_t)(byte - 1u);
  } else {
    keep(byte);
    in.left--;
  }
}

int tml_line_poll(tml_line_handler_t handler, tml_text_handler_t text) {
  uint8_t bytes[READ_BYTES];
  const uint32_t n = tml_port_read(bytes, sizeof bytes);
  for (uint32_t i = 0; i < n; i++) {
    receive(bytes[i], handler);
    if (text != NULL) {
      text(bytes[i]);
    }
  }
  return n > 0;
}

uint32_t tml_line_frames(void) { return count.frames; }

uint32_t tml_line_bad_frames(void) { return count.bad_frames; }

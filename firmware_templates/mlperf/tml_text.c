/* Commands are text up to '%'. Every frame has a zero before it, and the second byte after that
 * zero is the protocol's version, which no text has: where both of the first bytes could be text,
 * text follows up to the next zero, else a frame, in which '%' means nothing. Line ends are
 * skipped. */
#include "tml_text.h"

#include "tml_mlperf.h"

#define END '%'

enum { TEXT, AFTER_ZERO, UNSURE, FRAME };

/* The command that is arriving; the length counts one character too many at most. */
static struct {
  char text[TML_MLPERF_COMMAND_BYTES + 1];
  uint8_t length;
  uint8_t state; /* TEXT at first: no frame comes without its zero */
} in;

static int is_printable(uint8_t byte) { return byte >= ' ' && byte <= '~'; }
static int is_line_end(uint8_t byte) { return byte == '\r' || byte == '\n'; }

static void finish(void) {
  const uint32_t length = in.length;
  in.length = 0;
  if (length > TML_MLPERF_COMMAND_BYTES) {
    tml_mlperf_too_long();
  } else if (length > 0) {
    in.text[length] = 0;
    tml_mlperf_command(in.text);
  }
}

static void keep(char character) {
  if (in.length < TML_MLPERF_COMMAND_BYTES) {
    in.text[in.length] = character;
  }
  if (in.length <= TML_MLPERF_COMMAND_BYTES) {
    in.length++;
  }
}

void tml_text_start(void) { tml_mlperf_banner(); }

void tml_text_byte(uint8_t byte) {
  if (byte == 0) {
    in.length = 0;
    in.state = AFTER_ZERO;
  } else if (in.state == FRAME) {
    return;
  } else if (in.state != TEXT && !is_printable(byte) && !is_line_end(byte)) {
    in.state = FRAME;
  } else {
    in.state = in.state == AFTER_ZERO ? UNSURE : TEXT;
    if (byte == END) {
      finish();
    } else if (is_printable(byte)) {
      keep((char)byte);
    } else if (!is_line_end(byte)) {
      keep('?'); /* noise: whatever it was, the command must not mean something else now */
    }
  }
}

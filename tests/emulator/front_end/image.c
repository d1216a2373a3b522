/* The image front end, by its firmware's glue: every picture in hexadecimal, and the instructions
 * that it took. */
#include "bare.h"
#include "tml_config.h"
#include "tml_front_end.h"

static int8_t picture[TML_FEATURE_WIDTH * TML_FEATURE_HEIGHT * TML_FEATURE_CHANNELS];

static void run(void) {
  if (tml_front_end_start() != 0 || tml_front_end.row_bytes != sizeof picture) {
    end(1);
  }
  const int16_t *next = samples;
  uint32_t count = (uint32_t)(samples_end - next);
  for (;;) {
    const uint32_t start = timer[1];
    const int is_complete = tml_front_end_push(&next, &count, picture);
    const uint32_t instructions = instructions_since(start);
    if (!is_complete) {
      return;
    }
    print(instructions, 8, '\n');
    for (uint32_t i = 0; i < sizeof picture; i++) {
      print((uint8_t)picture[i], 2, i + 1 == sizeof picture ? '\n' : ' ');
    }
  }
}

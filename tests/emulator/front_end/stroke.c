/* The stroke front end, by its firmware's glue: every picture in hexadecimal, and the instructions
 * of the sample that took most. */
#include "bare.h"
#include "tml_front_end.h"

static int8_t picture[32 * 32 * 3];

static void run(void) {
  if (tml_front_end_start() != 0 || tml_front_end.row_bytes != sizeof picture) {
    end(1);
  }
  uint32_t most = 0;
  for (const int16_t *next = samples; next < samples_end;) {
    uint32_t count = 1;
    const uint32_t start = timer[1];
    const int is_complete = tml_front_end_push(&next, &count, picture);
    const uint32_t instructions = instructions_since(start);
    if (is_complete) {
      print(instructions, 8, ' ');
      print(most, 8, '\n');
      for (uint32_t i = 0; i < sizeof picture; i++) {
        print((uint8_t)picture[i], 2, i + 1 == sizeof picture ? '\n' : ' ');
      }
    } else if (instructions > most) {
      most = instructions;
    }
  }
}

/* The motion front end, by its firmware's glue: every row in hexadecimal and the instructions that
 * the samples of each row took. */
#include "bare.h"
#include "tml_front_end.h"

static void run(void) {
  if (tml_front_end_start() != 0) {
    end(1);
  }
  const int16_t *next = samples;
  while (next < samples_end) {
    uint32_t count = (uint32_t)(samples_end - next) / tml_front_end.channels;
    int8_t row[3];
    const uint32_t start = timer[1];
    const int is_new = tml_front_end_push(&next, &count, row);
    const uint32_t instructions = instructions_since(start);
    if (is_new) {
      for (int i = 0; i < 3; i++) {
        print((uint8_t)row[i], 2, ' ');
      }
      print(instructions, 8, '\n');
    }
  }
}

/* The audio front end: every frame in hexadecimal and the instructions that each stride took. */
#include "audio.h"
#include "bare.h"

static tml_audio_t audio;

static void run(void) {
  if (tml_audio_init(&audio, 320) != 0) {
    end(1);
  }
  const int16_t *next = samples;
  while (next < samples_end) {
    uint32_t count = 320 < samples_end - next ? 320 : (uint32_t)(samples_end - next);
    const uint32_t start = timer[1];
    const bool is_new = tml_audio_push(&audio, &next, &count);
    const uint32_t instructions = instructions_since(start);
    if (is_new) {
      for (int i = 0; i < TML_AUDIO_CHANNELS; i++) {
        print(audio.frame[i], 4, ' ');
      }
      print(instructions, 8, '\n');
    }
  }
}

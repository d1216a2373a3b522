/* Reads samples from a file and pushes them in pieces of changing size, each from memory of its
 * own, so that sanitizers see every byte too far; feeds the frames to a recognizer as scores.
 * usage: audio_stream STRIDE SAMPLES FRAMES */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audio.h"
#include "recognizer.h"

static int16_t all[1 << 20];

int main(int argc, char **argv) {
  if (argc != 4) {
    return 2;
  }
  FILE *in = fopen(argv[2], "rb"), *out = fopen(argv[3], "wb");
  if (in == NULL || out == NULL) {
    return 2;
  }
  const uint32_t total = (uint32_t)fread(all, sizeof *all, sizeof all / sizeof *all, in);
  const uint32_t stride = (uint32_t)atoi(argv[1]);
  tml_audio_t *audio = malloc(sizeof *audio);
  tml_recognizer_t *recognizer = malloc(sizeof *recognizer);
  const tml_recognizer_config_t config = {
      .labels = 32, .average = 32, .threshold = 20, .release = -20, .refractory = 1000};
  if (tml_audio_init(audio, stride) != 0 || tml_recognizer_init(recognizer, &config) != 0) {
    return 2;
  }
  uint32_t piece = 1;
  for (uint32_t at = 0; at < total; at += piece) {
    piece = piece * 7 % 1009;
    piece = piece < total - at ? piece : total - at;
    int16_t *samples = malloc(piece * sizeof *samples);
    memcpy(samples, all + at, piece * sizeof *samples);
    const int16_t *next = samples;
    uint32_t left = piece;
    while (tml_audio_push(audio, &next, &left)) {
      int8_t row[TML_AUDIO_CHANNELS];
      tml_event_t event;
      tml_audio_to_int8(audio->frame, row);
      fwrite(audio->frame, sizeof audio->frame, 1, out);
      if (tml_recognizer_push(recognizer, row, at, &event) && event.label >= config.labels) {
        return 1;
      }
    }
    free(samples);
  }
  free(audio);
  free(recognizer);
  fclose(in);
  return fclose(out) == 0 ? 0 : 2;
}

/* Reads samples from a file and pushes them in pieces of changing size, each from memory of its
 * own, so that sanitizers see every byte too far.
 * usage: stroke_stream RATE_HZ REST_MS STILL_MG STILL_DDPS LEAST_DDEG LONGEST_MS AXIS SAMPLES ROWS */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stroke.h"

static int16_t all[1 << 20];

static uint32_t number(const char *text) { return (uint32_t)atoi(text); }

int main(int argc, char **argv) {
  if (argc != 10) {
    return 2;
  }
  FILE *in = fopen(argv[8], "rb"), *out = fopen(argv[9], "wb");
  if (in == NULL || out == NULL) {
    return 2;
  }
  const size_t sample_bytes = TML_STROKE_CHANNELS * sizeof *all;
  const uint32_t total = (uint32_t)fread(all, sample_bytes, sizeof all / sample_bytes, in);
  const tml_stroke_config_t config = {number(argv[1]), number(argv[2]), number(argv[3]),
                                      number(argv[4]), number(argv[5]), number(argv[6]),
                                      atoi(argv[7])};
  tml_stroke_t *stroke = malloc(sizeof *stroke);
  int8_t *picture = malloc(TML_STROKE_BYTES);
  if (stroke == NULL || picture == NULL || tml_stroke_init(stroke, &config) != 0) {
    return 2;
  }
  uint32_t piece = 1;
  for (uint32_t at = 0; at < total; at += piece) {
    piece = piece * 7 % 101;
    piece = piece < total - at ? piece : total - at;
    int16_t *samples = malloc(piece * sample_bytes);
    memcpy(samples, all + at * TML_STROKE_CHANNELS, piece * sample_bytes);
    const int16_t *next = samples;
    uint32_t left = piece;
    while (tml_stroke_push(stroke, &next, &left, picture)) {
      fwrite(picture, TML_STROKE_BYTES, 1, out);
    }
    free(samples);
  }
  free(picture);
  free(stroke);
  fclose(in);
  return fclose(out) == 0 ? 0 : 2;
}

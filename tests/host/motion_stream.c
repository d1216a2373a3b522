/* Reads samples from a file and pushes them in pieces of changing size, each from memory of its
 * own, so that sanitizers see every byte too far.
 * usage: motion_stream RATE_HZ STRIDE_MS GRAVITY_MS RANGE_MG UPRIGHT SAMPLES ROWS */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "motion.h"

static int16_t all[1 << 20];

int main(int argc, char **argv) {
  if (argc != 8) {
    return 2;
  }
  FILE *in = fopen(argv[6], "rb"), *out = fopen(argv[7], "wb");
  if (in == NULL || out == NULL) {
    return 2;
  }
  const size_t sample_bytes = TML_MOTION_AXES * sizeof *all;
  const uint32_t total = (uint32_t)fread(all, sample_bytes, sizeof all / sample_bytes, in);
  const tml_motion_config_t config = {(uint32_t)atoi(argv[1]), (uint32_t)atoi(argv[2]),
                                      (uint32_t)atoi(argv[3]), (uint32_t)atoi(argv[4]),
                                      (uint32_t)atoi(argv[5])};
  tml_motion_t *motion = malloc(sizeof *motion);
  if (motion == NULL || tml_motion_init(motion, &config) != 0) {
    return 2;
  }
  uint32_t piece = 1;
  for (uint32_t at = 0; at < total; at += piece) {
    piece = piece * 7 % 101;
    piece = piece < total - at ? piece : total - at;
    int16_t *samples = malloc(piece * sample_bytes);
    memcpy(samples, all + at * TML_MOTION_AXES, piece * sample_bytes);
    const int16_t *next = samples;
    uint32_t left = piece;
    while (tml_motion_push(motion, &next, &left)) {
      fwrite(motion->row, sizeof motion->row, 1, out);
    }
    free(samples);
  }
  free(motion);
  fclose(in);
  return fclose(out) == 0 ? 0 : 2;
}

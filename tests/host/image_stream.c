/* Reads samples from a file and pushes them in pieces of changing size, each from memory of its
 * own, so that sanitizers see every byte too far.
 * usage: image_stream SOURCE_WIDTH SOURCE_HEIGHT FORMAT WIDTH HEIGHT CHANNELS SAMPLES PICTURES */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"

static int16_t all[1 << 20];

static uint32_t number(const char *text) { return (uint32_t)atoi(text); }

int main(int argc, char **argv) {
  if (argc != 9) {
    return 2;
  }
  FILE *in = fopen(argv[7], "rb"), *out = fopen(argv[8], "wb");
  if (in == NULL || out == NULL) {
    return 2;
  }
  const uint32_t total = (uint32_t)fread(all, sizeof *all, sizeof all / sizeof *all, in);
  const tml_image_config_t config = {number(argv[1]), number(argv[2]), number(argv[3]),
                                     number(argv[4]), number(argv[5]), number(argv[6])};
  const uint32_t bytes = config.width * config.height * config.channels;
  uint32_t *sums = malloc(TML_IMAGE_SUMS(config.width, config.channels) * sizeof *sums);
  int8_t *picture = malloc(bytes);
  tml_image_t *image = malloc(sizeof *image);
  if (sums == NULL || picture == NULL || image == NULL ||
      tml_image_init(image, &config, sums) != 0) {
    return 2;
  }
  uint32_t piece = 1;
  for (uint32_t at = 0; at < total; at += piece) {
    piece = piece * 7 % 101;
    piece = piece < total - at ? piece : total - at;
    int16_t *samples = malloc(piece * sizeof *samples);
    memcpy(samples, all + at, piece * sizeof *samples);
    const int16_t *next = samples;
    uint32_t left = piece;
    while (tml_image_push(image, &next, &left, picture)) {
      fwrite(picture, bytes, 1, out);
    }
    free(samples);
  }
  free(image);
  free(picture);
  free(sums);
  fclose(in);
  return fclose(out) == 0 ? 0 : 2;
}

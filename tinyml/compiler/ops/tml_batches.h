/* tml_batches.h: images as batches of small ones, one per place in a block, and back. */
#ifndef TML_BATCHES_H
#define TML_BATCHES_H

#include "tml_kernel.h"

/* Large images [images, height, width, pixel_bytes] and small ones [small_batch, small_height,
 * small_width, pixel_bytes], where small image (y * block_width + x) * images + n has the pixels of
 * image n at place (y, x) of each block. before_*: rows and columns of the blocks that lie before
 * the first pixel of an image. */
typedef struct {
  int32_t images, height, width, pixel_bytes;
  int32_t small_batch, small_height, small_width;
  int32_t block_height, block_width;
  int32_t before_y, before_x;
} tml_batches_t;

/* Small images of large ones, which are whole blocks: before_* are not looked at. */
static inline void tml_to_batches(const uint8_t *input, uint8_t *output, const tml_batches_t *p) {
  const size_t pixel = (size_t)p->pixel_bytes;
  for (int32_t small = 0; small < p->small_batch; ++small) {
    const int32_t place = small / p->images;
    const int32_t image = small % p->images;
    for (int32_t y = 0; y < p->small_height; ++y) {
      const int32_t row = y * p->block_height + place / p->block_width;
      for (int32_t x = 0; x < p->small_width; ++x) {
        const int32_t column = x * p->block_width + place % p->block_width;
        memcpy(output, input + (size_t)((image * p->height + row) * p->width + column) * pixel,
               pixel);
        output += pixel;
      }
    }
  }
}

/* Large images of small ones, less before_y rows and before_x columns (the crops). */
static inline void tml_from_batches(const uint8_t *input, uint8_t *output,
                                    const tml_batches_t *p) {
  const size_t pixel = (size_t)p->pixel_bytes;
  for (int32_t image = 0; image < p->images; ++image) {
    for (int32_t y = 0; y < p->height; ++y) {
      const int32_t row = y + p->before_y;
      for (int32_t x = 0; x < p->width; ++x) {
        const int32_t column = x + p->before_x;
        const int32_t place =
            row % p->block_height * p->block_width + column % p->block_width;
        const int32_t small = place * p->images + image;
        const int32_t at = (small * p->small_height + row / p->block_height) * p->small_width +
                           column / p->block_width;
        memcpy(output, input + (size_t)at * pixel, pixel);
        output += pixel;
      }
    }
  }
}

#endif

/* image.h: from a camera's pixels, as they arrive, to the int8 picture that a model reads.
 *
 * A picture is its bytes in raster order, in one of the formats below; a sample is two bytes of it,
 * the first one low: two gray pixels, or one of RGB565 or YUV422. A picture begins with a sample; where
 * its bytes are odd, the last one is followed by one that is ignored.
 *
 * Crop: the largest centred window with the aspect of what is wanted; sides are
 * rounded down, to one pixel at least, and what is odd is left out at the right and at the bottom.
 * Size: the exact average over the area that each wanted pixel covers of the window, be it many
 * source pixels, parts of some, or part of one; rounded to nearest, halves up, once.
 * Gray: of YUV it is Y; of RGB it is (77 R + 150 G + 29 B + 128) / 256 rounded down, per source
 * pixel (BT.601's weights).
 * Colour: 5 and 6 bits are stretched to 0..255; YUV is JPEG's (full range BT.601).
 * int8: value - 128, rows from the top, pixels from the left, channels together (NHWC).
 *
 * Integers only, no heap; two lines of sums are all the memory it needs besides the result. How
 * samples are cut into calls never changes a picture.
 *
 *   static uint32_t sums[TML_IMAGE_SUMS(96, 1)];
 *   tml_image_init(&image, &config, sums);
 *   if (tml_image_push(&image, &samples, &count, picture)) {
 *     ... picture is complete; the next sample begins the next one
 *   }
 */
#ifndef TML_IMAGE_H
#define TML_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TML_IMAGE_GRAY 1   /* one byte a pixel */
#define TML_IMAGE_RGB565 2 /* two bytes, the low one first: red has the highest bits */
#define TML_IMAGE_YUYV 3   /* Y U Y V: two pixels in four bytes */
#define TML_IMAGE_UYVY 4   /* U Y V Y: two pixels in four bytes */
#define TML_IMAGE_RGB888 5 /* R G B */

#define TML_IMAGE_MAX_SIDE 16384u
#define TML_IMAGE_MAX_WINDOW 16777216u /* source pixels in the cropped window: sums are 32 bits */
#define TML_IMAGE_MAX_WANTED 1024u     /* width and height of the result */

/* How many uint32_t `sums` are. */
#define TML_IMAGE_SUMS(width, channels) (2u * (width) * (channels))

typedef struct {
  uint32_t source_width, source_height; /* an even width where pixels come in pairs */
  uint32_t format;                      /* TML_IMAGE_... */
  uint32_t width, height;               /* of the result */
  uint32_t channels;                    /* of the result: 1 is gray, 3 is R G B */
} tml_image_config_t;

/* A side of the window and how its pixels are shared out among the wanted ones. A source pixel has
 * `wanted` shares and a wanted pixel takes `length` of them. */
typedef struct {
  uint32_t start, length; /* of the window, in source pixels */
  uint32_t wanted;
  uint32_t at;   /* the wanted pixel that is being made */
  uint32_t left; /* shares that it still takes */
} tml_image_side_t;

/* Belongs to image.c. */
typedef struct {
  tml_image_config_t config;
  tml_image_side_t across, down;
  uint32_t *line;   /* sums of the source line that comes in: [width][channels] */
  uint32_t *result; /* sums of the wanted line that is being made: [width][channels] */
  uint32_t x, y;    /* source pixel that comes next */
  uint32_t held;    /* bytes of a pixel, or pair of pixels, that is not complete */
  uint8_t bytes[4];
} tml_image_t;

/* Start a stream of pictures, which uses `sums` as long as it goes on. Returns 0, or -1 when a field
 * of `config` is not possible. */
int tml_image_init(tml_image_t *image, const tml_image_config_t *config, uint32_t *sums);

/* Take samples until a picture is complete or none are left; moves *samples and *count past what it
 * took. `picture`, int8 [height][width][channels], is written line by line as samples come: pass the
 * same until it returns true. */
bool tml_image_push(tml_image_t *image, const int16_t **samples, uint32_t *count, int8_t *picture);

#ifdef __cplusplus
}
#endif

#endif

#include "image.h"

#include <string.h>

enum { ZERO = 128 };

/* Bytes after which whole pixels are complete, by format, where that is more than a sample. */
static const uint8_t unit_bytes[] = {0, 0, 0, 4, 4, 3};

static bool in_range(uint32_t value, uint32_t least, uint32_t most) {
  return value >= least && value <= most;
}

static bool possible(const tml_image_config_t *config) {
  if (!in_range(config->format, TML_IMAGE_GRAY, TML_IMAGE_RGB888) ||
      !in_range(config->source_width, 1, TML_IMAGE_MAX_SIDE) ||
      !in_range(config->source_height, 1, TML_IMAGE_MAX_SIDE) ||
      !in_range(config->width, 1, TML_IMAGE_MAX_WANTED) ||
      !in_range(config->height, 1, TML_IMAGE_MAX_WANTED) ||
      (config->channels != 1 && config->channels != 3)) {
    return false;
  }
  const bool in_pairs = config->format == TML_IMAGE_YUYV || config->format == TML_IMAGE_UYVY;
  return !(in_pairs && config->source_width % 2 != 0);
}

/* Begin to share out a side of the window. */
static void begin(tml_image_side_t *side) {
  side->at = 0;
  side->left = side->length;
}

static tml_image_side_t centred(uint32_t source, uint32_t length, uint32_t wanted) {
  return (tml_image_side_t){.start = (source - length) / 2, .length = length, .wanted = wanted};
}

static uint32_t at_least_1(uint32_t value) { return value > 0 ? value : 1; }

static bool crop(tml_image_t *image) {
  const tml_image_config_t *config = &image->config;
  uint32_t width = config->source_width, height = config->source_height;
  if (width * config->height > height * config->width) {
    width = at_least_1(height * config->width / config->height);
  } else {
    height = at_least_1(width * config->height / config->width);
  }
  image->across = centred(config->source_width, width, config->width);
  image->down = centred(config->source_height, height, config->height);
  return width * height <= TML_IMAGE_MAX_WINDOW;
}

static void begin_picture(tml_image_t *image) {
  image->x = image->y = 0;
  begin(&image->down);
  begin(&image->across);
  memset(image->line, 0, TML_IMAGE_SUMS(image->config.width, image->config.channels) *
                             sizeof *image->line);
}

int tml_image_init(tml_image_t *image, const tml_image_config_t *config, uint32_t *sums) {
  if (!possible(config)) {
    return -1;
  }
  *image = (tml_image_t){.config = *config, .line = sums};
  image->result = sums + config->width * config->channels;
  if (!crop(image)) {
    return -1;
  }
  begin_picture(image);
  return 0;
}

/* Add `shares` of a source pixel to the wanted pixel of its line that is being made. */
static inline void add(tml_image_t *image, const uint8_t *pixel, uint32_t shares) {
  if (image->config.channels == 1) {
    image->line[image->across.at] += shares * pixel[0];
    return;
  }
  uint32_t *sum = image->line + image->across.at * 3;
  sum[0] += shares * pixel[0];
  sum[1] += shares * pixel[1];
  sum[2] += shares * pixel[2];
}

/* Share a source pixel out among the wanted pixels of its line that it touches. */
static void share_pixel(tml_image_t *image, const uint8_t *pixel) {
  tml_image_side_t *across = &image->across;
  uint32_t shares = across->wanted;
  while (shares >= across->left) {
    add(image, pixel, across->left);
    shares -= across->left;
    across->at++;
    across->left = across->length;
    if (shares == 0) {
      return;
    }
  }
  add(image, pixel, shares);
  across->left -= shares;
}

/* Write the wanted line that `shares` of the source line complete, and begin the next one. */
static void finish_line(tml_image_t *image, uint32_t shares, int8_t *picture) {
  const uint32_t values = image->config.width * image->config.channels;
  const uint32_t area = image->across.length * image->down.length;
  int8_t *out = picture + image->down.at * values;
  for (uint32_t i = 0; i < values; i++) {
    const uint32_t sum = image->result[i] + shares * image->line[i];
    out[i] = (int8_t)((int32_t)((sum + area / 2) / area) - ZERO);
    image->result[i] = 0;
  }
}

/* Share a source line out among the wanted lines that it touches. */
static void share_line(tml_image_t *image, int8_t *picture) {
  const uint32_t values = image->config.width * image->config.channels;
  tml_image_side_t *down = &image->down;
  uint32_t shares = down->wanted;
  while (shares >= down->left) {
    finish_line(image, down->left, picture);
    shares -= down->left;
    down->at++;
    down->left = down->length;
  }
  for (uint32_t i = 0; i < values; i++) {
    image->result[i] += shares * image->line[i];
    image->line[i] = 0;
  }
  down->left -= shares;
  begin(&image->across);
}

/* Take a source pixel, [channels]; returns true with the last one of a picture. */
static inline bool take_pixel(tml_image_t *image, const uint8_t *pixel, int8_t *picture) {
  const bool in_window = image->y - image->down.start < image->down.length;
  if (in_window && image->x - image->across.start < image->across.length) {
    share_pixel(image, pixel);
  }
  if (++image->x < image->config.source_width) {
    return false;
  }
  image->x = 0;
  if (in_window) {
    share_line(image, picture);
  }
  if (++image->y < image->config.source_height) {
    return false;
  }
  begin_picture(image);
  return true;
}

static uint8_t gray_of(uint32_t r, uint32_t g, uint32_t b) {
  return (uint8_t)((77 * r + 150 * g + 29 * b + 128) >> 8);
}

static bool take_rgb(tml_image_t *image, uint8_t r, uint8_t g, uint8_t b, int8_t *picture) {
  const uint8_t colour[3] = {r, g, b};
  const uint8_t gray = gray_of(r, g, b);
  return take_pixel(image, image->config.channels == 1 ? &gray : colour, picture);
}

static inline bool take_gray(tml_image_t *image, uint8_t gray, int8_t *picture) {
  const uint8_t colour[3] = {gray, gray, gray};
  return take_pixel(image, colour, picture);
}

static bool take_rgb565(tml_image_t *image, uint32_t low, uint32_t high, int8_t *picture) {
  const uint32_t value = high << 8 | low;
  const uint32_t r = value >> 11, g = value >> 5 & 63, b = value & 31;
  return take_rgb(image, (uint8_t)(r << 3 | r >> 2), (uint8_t)(g << 2 | g >> 4),
                  (uint8_t)(b << 3 | b >> 2), picture);
}

/* A value with 16 fraction bits, to nearest, in 0..255. */
static uint8_t clipped(int32_t fine) {
  const int32_t value = fine < 0 ? 0 : (fine + 32768) / 65536;
  return (uint8_t)(value > 255 ? 255 : value);
}

static bool take_yuv(tml_image_t *image, int32_t y, int32_t u, int32_t v, int8_t *picture) {
  /* JFIF 1.02: 1.402, 0.344136, 0.714136 and 1.772 of 65536. */
  const int32_t fine = y * 65536;
  const uint8_t colour[3] = {clipped(fine + 91881 * (v - 128)),
                             clipped(fine - 22554 * (u - 128) - 46802 * (v - 128)),
                             clipped(fine + 116130 * (u - 128))};
  return take_pixel(image, colour, picture);
}

/* Take the pixels that `bytes` complete; of a pair only the second can be a picture's last. */
static bool take_unit(tml_image_t *image, int8_t *picture) {
  const uint8_t *bytes = image->bytes;
  switch (image->config.format) {
    case TML_IMAGE_YUYV:
      take_yuv(image, bytes[0], bytes[1], bytes[3], picture);
      return take_yuv(image, bytes[2], bytes[1], bytes[3], picture);
    case TML_IMAGE_UYVY:
      take_yuv(image, bytes[1], bytes[0], bytes[2], picture);
      return take_yuv(image, bytes[3], bytes[0], bytes[2], picture);
    default:
      return take_rgb(image, bytes[0], bytes[1], bytes[2], picture);
  }
}

/* Take a byte of a format whose pixels, or pairs of them, are more than a sample. */
static bool take_byte(tml_image_t *image, uint8_t byte, int8_t *picture) {
  image->bytes[image->held++] = byte;
  if (image->held < unit_bytes[image->config.format]) {
    return false;
  }
  image->held = 0;
  return take_unit(image, picture);
}

static bool take_sample(tml_image_t *image, uint8_t low, uint8_t high, int8_t *picture) {
  const uint32_t format = image->config.format;
  if (format == TML_IMAGE_GRAY) {
    return take_gray(image, low, picture) || take_gray(image, high, picture);
  }
  if (format == TML_IMAGE_RGB565) {
    return take_rgb565(image, low, high, picture);
  }
  if (format != TML_IMAGE_RGB888 && image->config.channels == 1) {
    return take_gray(image, format == TML_IMAGE_YUYV ? low : high, picture);
  }
  return take_byte(image, low, picture) || take_byte(image, high, picture);
}

bool tml_image_push(tml_image_t *image, const int16_t **samples, uint32_t *count, int8_t *picture) {
  bool complete = false;
  while (*count > 0 && !complete) {
    const uint16_t pair = (uint16_t) * *samples;
    *samples += 1;
    *count -= 1;
    complete = take_sample(image, (uint8_t)(pair & 255), (uint8_t)(pair >> 8), picture);
  }
  return complete;
}

#include "tml_mlperf.h"

#include <stdint.h>
#include <string.h>

#include "model.h"
#include "tml_bytes.h"
#include "tml_commands.h"
#include "tml_config.h"
#include "tml_decimal.h"
#include "tml_port.h"
#include "tml_run.h"

#define LINE_BYTES 8u /* of the buffer that a line of `db print` shows */
#define DEFAULT_WARMUP 10

/* Text that leaves, gathered: a board may send every write as a packet of its own. */
static struct {
  char text[64];
  uint32_t length;
} out;

/* What `db` loads: one input as the benchmark has it, not yet as the model wants it. */
static struct {
  uint8_t bytes[TML_MLPERF_BYTES];
  uint32_t wanted;
  uint32_t loaded;
} db;

static uint32_t results_of; /* the run that `results` may show, counted from 1 */
static float error;         /* of that run, where the model reconstructs its input */

static void flush(void) {
  tml_port_write((const uint8_t *)out.text, out.length);
  out.length = 0;
}

static void put(const char *text) {
  for (; *text != 0; text++) {
    if (out.length == sizeof out.text) {
      flush();
    }
    out.text[out.length++] = *text;
  }
}

static void put_number(uint64_t value) {
  char text[TML_DECIMAL_BYTES];
  put(tml_decimal_u64(text, value));
}

static void put_float(float value) {
  char text[TML_DECIMAL_BYTES];
  put(tml_decimal_f32(text, value));
}

static void put_hex(uint8_t value) {
  static const char hex[] = "0123456789abcdef";
  const char text[] = {hex[value >> 4], hex[value & 15u], 0};
  put(text);
}

static void end_line(void) {
  put("\r\n");
  flush();
}

/* A line of a text, a number and the rest. */
static void say(const char *before, uint64_t number, const char *after) {
  put(before);
  put_number(number);
  put(after);
  end_line();
}

static void say_text(const char *before, const char *text, const char *after) {
  put(before);
  put(text);
  put(after);
  end_line();
}

static void ready(void) { say_text("m-ready", "", ""); }

static void lap(uint64_t time_us) { say("m-lap-us-", (uint32_t)time_us, ""); }

/* Cut the next word off *text; NULL when there is none. */
static char *next_word(char **text) {
  char *word = *text + strspn(*text, " ");
  char *end = word + strcspn(word, " ");
  if (word == end) {
    return NULL;
  }
  *text = *end == 0 ? end : end + 1;
  *end = 0;
  return word;
}

/* A whole number of up to nine digits; more are 999999999, anything else is -1. */
static int32_t number_of(const char *word) {
  int32_t value = 0;
  const size_t length = strlen(word);
  if (length == 0 || strspn(word, "0123456789") != length) {
    return -1;
  }
  for (; *word != 0; word++) {
    value = value > 99999999 ? 999999999 : value * 10 + (*word - '0');
  }
  return value;
}

static void name(char *arguments) {
  (void)arguments;
  say_text("m-name-dut-[", "tinyml-" TML_BOARD, "]");
}

static void timestamp(char *arguments) {
  (void)arguments;
  lap(tml_port_time_us());
}

static void profile(char *arguments) {
  (void)arguments;
  say_text("m-profile-[", "ULPMark for tinyML Firmware V0.0.1", "]");
  say_text("m-model-[", TML_MLPERF_MODEL, "]");
}

static void db_load(const char *count) {
  if (count == NULL) {
    say_text("e-[Command 'db load' requires the # of bytes]", "", "");
    return;
  }
  const int32_t bytes = number_of(count);
  if (bytes <= 0) {
    say_text("e-[Command 'db load' must be >0 bytes]", "", "");
  } else if ((uint32_t)bytes > TML_MLPERF_BYTES) {
    say("e-[Command 'db load' must be <=", TML_MLPERF_BYTES, " bytes]");
  } else {
    db.wanted = (uint32_t)bytes;
    db.loaded = 0;
    say("m-[Expecting ", db.wanted, " bytes]");
  }
}

static void db_print(void) {
  for (uint32_t i = 0; i < db.loaded; i++) {
    put(i % LINE_BYTES == 0 ? "m-buffer-" : "-");
    put_hex(db.bytes[i]);
    if (i % LINE_BYTES == LINE_BYTES - 1 || i + 1 == db.loaded) {
      end_line();
    }
  }
}

static int hex_digit(char digit) {
  if (digit >= '0' && digit <= '9') {
    return digit - '0';
  }
  const char small = (char)(digit | 0x20);
  return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

/* Take all of the digits that are still wanted, or none where one of them is bad. */
static void db_digits(const char *hex) {
  const uint32_t given = (uint32_t)strlen(hex);
  const uint32_t left = db.wanted - db.loaded;
  const uint32_t bytes = given / 2u < left ? given / 2u : left;
  if (given % 2u != 0) {
    say_text("e-[Insufficent number of hex digits]", "", "");
    return;
  }
  if (left == 0) {
    say_text("e-[Command 'db load' must come first]", "", "");
    return;
  }
  for (uint32_t i = 0; i < bytes; i++) {
    const char pair[] = {hex[2u * i], hex[2u * i + 1u], 0};
    const int high = hex_digit(pair[0]), low = hex_digit(pair[1]);
    if (high < 0 || low < 0) {
      say_text("e-[Invalid hex digit '", pair, "']");
      return;
    }
    db.bytes[db.loaded + i] = (uint8_t)(high << 4 | low);
  }
  db.loaded += bytes;
  if (db.loaded == db.wanted) {
    say_text("m-load-done", "", "");
  }
}

static void db_command(char *arguments) {
  const char *word = next_word(&arguments);
  if (word == NULL) {
    say_text("e-[Command 'db' requires a subcommand]", "", "");
  } else if (strcmp(word, "load") == 0) {
    db_load(next_word(&arguments));
  } else if (strcmp(word, "print") == 0) {
    db_print();
  } else {
    db_digits(word);
  }
}

static float loaded_float(uint32_t index) {
  const uint32_t bits = tml_get_u32(db.bytes + 4u * index);
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* value / scale to the nearest, halves away from zero, as the reference rounds; then the zero point
 * and the limits of int8. What is no number becomes the least. */
static int8_t quantized(float value, const tml_tensor_t *info) {
  const float steps = value / info->scale;
  if (!(steps > -1024.0f)) {
    return INT8_MIN;
  }
  if (steps > 1024.0f) {
    return INT8_MAX;
  }
  int32_t whole = (int32_t)steps;
  const float rest = steps - (float)whole;
  whole += (rest >= 0.5f) - (rest <= -0.5f) + info->zero_point;
  return (int8_t)(whole < INT8_MIN ? INT8_MIN : whole > INT8_MAX ? INT8_MAX : whole);
}

static int8_t input_value(uint32_t index, const tml_tensor_t *info) {
  switch (TML_MLPERF_ENCODING) {
    case TML_UINT8:
      return (int8_t)(db.bytes[index] - 128);
    case TML_FLOAT32:
      return quantized(loaded_float(index), info);
    default:
      return (int8_t)db.bytes[index];
  }
}

static void load_input(void) {
  const tml_tensor_t *info = tml_model_input_info(0);
  int8_t *input = (int8_t *)tml_run_input(0);
  for (uint32_t i = 0; i < info->bytes; i++) {
    input[i] = input_value(i, info);
  }
  tml_inputs_lost();
}

/* An int8 output as the real number it stands for. */
static float score(uint32_t index) {
  const tml_tensor_t *info = tml_model_output_info(0);
  const int8_t *values = tml_model_output(0);
  return (float)(values[index] - info->zero_point) * info->scale;
}

/* The mean square of output - input, which is the result of a model that reconstructs its input.
 * volatile: every step is rounded to float32, on processors that could fuse two as well. */
static float reconstruction_error(void) {
  const uint32_t count = tml_model_output_info(0)->bytes;
  float sum = 0.0f;
  for (uint32_t i = 0; i < count; i++) {
    const volatile float value = score(i);
    const float difference = value - loaded_float(i);
    const volatile float square = difference * difference;
    sum += square;
  }
  return sum / (float)count;
}

static void put_results(void) {
  put("m-results-[");
  if (TML_MLPERF_RECONSTRUCTS) {
    put_float(error);
  } else {
    for (uint32_t i = 0; i < tml_model_output_info(0)->bytes; i++) {
      put(i > 0 ? "," : "");
      put_float(score(i));
    }
  }
  put("]");
  end_line();
}

static void results(char *arguments) {
  (void)arguments;
  if (results_of == 0 || results_of != tml_run_count()) {
    say_text("e-[Command 'infer' must come first]", "", "");
  } else {
    put_results();
  }
}

/* Returns 0, or a negative reason of model.h that has been said. */
static int run(int32_t count) {
  for (; count > 0; count--) {
    uint64_t counter;
    const int status = tml_run(&counter);
    if (status < 0) {
      say("e-[Inference failed: -", (uint64_t)-status, "]");
      return status;
    }
  }
  return TML_OK;
}

static void measure(int32_t iterations, int32_t warmup) {
  load_input();
  results_of = 0;
  say("m-warmup-start-", (uint32_t)warmup, "");
  if (run(warmup) < 0) {
    return;
  }
  say_text("m-warmup-done", "", "");
  say("m-infer-start-", (uint32_t)iterations, "");
  const uint64_t start = tml_port_time_us();
  if (run(iterations) < 0) {
    return;
  }
  const uint64_t end = tml_port_time_us();
  lap(start); /* only now: sending it would count */
  lap(end);
  say_text("m-infer-done", "", "");
  results_of = tml_run_count();
  error = TML_MLPERF_RECONSTRUCTS ? reconstruction_error() : 0.0f;
  put_results();
}

static void infer(char *arguments) {
  const char *first = next_word(&arguments), *second = next_word(&arguments);
  const int32_t iterations = first ? number_of(first) : 1;
  const int32_t warmup = second ? number_of(second) : DEFAULT_WARMUP;
  if (iterations <= 0) {
    say_text("e-[Inference iterations must be >0]", "", "");
  } else if (warmup < 0) {
    say_text("e-[Inference warmup must be >=0]", "", "");
  } else if (db.loaded != TML_MLPERF_BYTES) {
    say("e-[Inference requires ", TML_MLPERF_BYTES, " bytes of input]");
  } else {
    measure(iterations, warmup);
  }
}

void tml_mlperf_banner(void) {
  say_text("m-timestamp-mode-performance", "", "");
  lap(tml_port_time_us());
  say_text("m-init-done", "", "");
  ready();
}

void tml_mlperf_command(char *text) {
  static const struct {
    const char *name;
    void (*handler)(char *arguments);
  } commands[] = {
      {"name", name},     {"timestamp", timestamp}, {"profile", profile},
      {"db", db_command}, {"infer", infer},         {"results", results},
  };
  const char *word = next_word(&text);
  uint32_t i = 0;
  while (i < sizeof commands / sizeof commands[0] &&
         (word == NULL || strcmp(commands[i].name, word) != 0)) {
    i++;
  }
  if (i < sizeof commands / sizeof commands[0]) {
    commands[i].handler(text);
  } else {
    say_text("e-[Unknown command: ", word ? word : "", "]");
  }
  ready();
}

void tml_mlperf_too_long(void) {
  say("e-[Command is longer than ", TML_MLPERF_COMMAND_BYTES, " characters]");
  ready();
}

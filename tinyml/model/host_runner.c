/* host_runner.c: runs a model on the host, from a file of inputs to a file of results.
 *
 * runner INPUT OUTPUT reads all inputs of one or more inferences, concatenated, and writes for
 * each inference the result of every step in order, then every output. Exit code 0, or 1 with a
 * line on stderr.
 */
#include <stdio.h>

#include "model.h"

static void write_step(void *context, int step, const void *data) {
  fwrite(data, 1, tml_model_step(step)->bytes, (FILE *)context);
}

/* Returns 1 when all inputs were read, 0 at the end of the file, -1 in the middle of it. */
static int read_inputs(FILE *from) {
  for (int i = 0; i < tml_model_input_count(); ++i) {
    const size_t bytes = tml_model_input_info(i)->bytes;
    const size_t got = fread(tml_model_input(i), 1, bytes, from);
    if (got != bytes) {
      return i == 0 && got == 0 ? 0 : -1;
    }
  }
  return 1;
}

static int run_file(FILE *from, FILE *to) {
  int status = tml_model_init();
  tml_model_set_step_hook(write_step, to);
  while (status == 0 && (status = read_inputs(from)) > 0) {
    status = tml_model_invoke();
    for (int i = 0; status == 0 && i < tml_model_output_count(); ++i) {
      fwrite(tml_model_output(i), 1, tml_model_output_info(i)->bytes, to);
    }
  }
  return status;
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: %s INPUT OUTPUT\n", argv[0]);
    return 1;
  }
  FILE *from = fopen(argv[1], "rb");
  FILE *to = fopen(argv[2], "wb");
  if (from == NULL || to == NULL) {
    fprintf(stderr, "cannot open %s\n", from == NULL ? argv[1] : argv[2]);
    return 1;
  }
  const int status = run_file(from, to);
  fclose(from);
  if (fclose(to) != 0 || status != 0) {
    fprintf(stderr, "failed with %d\n", status);
    return 1;
  }
  return 0;
}

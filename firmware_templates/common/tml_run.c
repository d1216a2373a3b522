#include "tml_run.h"

#include <string.h>

#include "tml_config.h"
#include "tml_port.h"

static uint8_t inputs[TML_INPUT_BYTES] __attribute__((aligned(16)));
static const uint32_t offsets[] = TML_INPUT_OFFSETS;
static int status = TML_ERROR_STATE;
static uint32_t runs;

int tml_run_init(void) {
  status = tml_model_init();
  return status;
}

int tml_run_status(void) { return status; }

uint8_t *tml_run_input(int index) { return inputs + offsets[index]; }

int tml_run(uint64_t *counter) {
  if (status < 0) {
    return status;
  }
  for (int i = 0; i < TML_INPUTS; i++) {
    memcpy(tml_model_input(i), tml_run_input(i), tml_model_input_info(i)->bytes);
  }
  runs++;
  const uint64_t start = tml_port_counter();
  const int result = tml_model_invoke();
  *counter = tml_port_counter() - start;
  return result;
}

int tml_run_reset(void) {
  if (status == TML_OK) {
    status = tml_model_reset();
  }
  return status;
}

int tml_run_hooked(tml_step_hook_t hook, void *context) {
  uint64_t counter;
  tml_model_set_step_hook(hook, context);
  const int result = tml_run(&counter);
  tml_model_set_step_hook(NULL, NULL);
  return result;
}

uint32_t tml_run_count(void) { return runs; }

/* A model that is easy to predict. MODEL_INPUTS and MODEL_OUTPUTS are the sizes in bytes.
 *
 * Element i of output o is the sum over all input elements k of input[k] * (k + 1 + i + o), mod
 * 256. Step 0 gives a copy of input 0, step 1 + o gives output o. The inputs are destroyed. */
#include "model.h"

#include <stddef.h>
#include <string.h>

static const uint32_t input_bytes[] = {MODEL_INPUTS};
static const uint32_t output_bytes[] = {MODEL_OUTPUTS};
#define INPUTS (int)(sizeof input_bytes / sizeof input_bytes[0])
#define OUTPUTS (int)(sizeof output_bytes / sizeof output_bytes[0])
#define MOST 4096

static int8_t inputs[INPUTS][MOST];
static int8_t outputs[OUTPUTS][MOST];
static tml_tensor_t infos[INPUTS + OUTPUTS];
static tml_step_t steps[1 + OUTPUTS];
static const uint16_t channels[] = {0, 2, 5};
static tml_step_hook_t hook;
static void *hook_context;

static void describe(tml_tensor_t *info, const char *name, uint32_t bytes) {
  const tml_tensor_t made = {name, TML_INT8, 2, {1, (int32_t)bytes, 1, 1, 1, 1}, 0.5f, -3, bytes};
  *info = made;
}

int tml_model_init(void) {
  for (int i = 0; i < INPUTS; i++) {
    describe(&infos[i], i ? "in1" : "in0", input_bytes[i]);
  }
  for (int i = 0; i < OUTPUTS; i++) {
    describe(&infos[INPUTS + i], i ? "out1" : "out0", output_bytes[i]);
  }
  for (int i = 0; i <= OUTPUTS; i++) {
    const tml_step_t made = {(uint16_t)i, (uint16_t)(10 + i),
                             i ? output_bytes[i - 1] : input_bytes[0], i ? NULL : channels, 3};
    steps[i] = made;
  }
  return TML_OK;
}

static void done(int step, const void *data) {
  if (hook != NULL) {
    hook(hook_context, step, data);
  }
}

int tml_model_reset(void) { return TML_OK; }

int tml_model_invoke(void) {
  if (inputs[0][0] == 127) {
    return TML_ERROR_OPERATOR;
  }
  done(0, inputs[0]);
  for (int o = 0; o < OUTPUTS; o++) {
    for (uint32_t i = 0; i < output_bytes[o]; i++) {
      uint32_t sum = 0;
      for (int n = 0; n < INPUTS; n++) {
        for (uint32_t k = 0; k < input_bytes[n]; k++) {
          sum += (uint32_t)inputs[n][k] * (k + 1u + i + (uint32_t)o);
        }
      }
      outputs[o][i] = (int8_t)(uint8_t)(sum & 255u);
    }
    done(1 + o, outputs[o]);
  }
  memset(inputs, 0x55, sizeof inputs);
  return TML_OK;
}

int tml_model_input_count(void) { return INPUTS; }
int tml_model_output_count(void) { return OUTPUTS; }
void *tml_model_input(int index) { return inputs[index]; }
const void *tml_model_output(int index) { return outputs[index]; }
const tml_tensor_t *tml_model_input_info(int index) { return &infos[index]; }
const tml_tensor_t *tml_model_output_info(int index) { return &infos[INPUTS + index]; }
int tml_model_step_count(void) { return 1 + OUTPUTS; }
const tml_step_t *tml_model_step(int index) { return &steps[index]; }

void tml_model_set_step_hook(tml_step_hook_t new_hook, void *context) {
  hook = new_hook;
  hook_context = context;
}

void tml_model_memory(tml_memory_t *memory) {
  const tml_memory_t made = {1000, 900, 50};
  *memory = made;
}

/* Each DSP operation over every pair of words of the samples, folded into one number each. */
#include "bare.h"
#include "dsp_sums.h"

static void run(void) {
  uint32_t sums[DSP_OPERATIONS];
  dsp_sums((const uint32_t *)(const void *)samples, (uint32_t)(samples_end - samples) / 2, sums);
  for (int i = 0; i < DSP_OPERATIONS; i++) {
    print(sums[i], 8, '\n');
  }
}

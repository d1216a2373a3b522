#if !__has_include("tensorflow/lite/micro/micro_interpreter_graph.h")

// Those headers are not ours to mend.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wsign-compare"
#include "tml_fully_connected.h"

#include "tensorflow/lite/c/builtin_op_data.h"
#include "tensorflow/lite/kernels/internal/common.h"
#include "tensorflow/lite/kernels/internal/quantization_util.h"
#include "tensorflow/lite/kernels/kernel_util.h"
#include "tensorflow/lite/micro/micro_context.h"
#pragma GCC diagnostic pop

namespace {

constexpr int kInput = 0;
constexpr int kWeights = 1;
constexpr int kBias = 2;
constexpr int kOutput = 0;

struct Data {
  int32_t *multipliers; // per output channel
  int32_t *shifts;
  int32_t channels;
  int32_t depth; // inputs of a channel
  int32_t input_zero_point;
  int32_t output_zero_point;
  int32_t least;
  int32_t most;
};

void *Init(TfLiteContext *context, const char *, size_t) {
  return context->AllocatePersistentBuffer(context, sizeof(Data));
}

// Scales become multipliers and shifts, as for a convolution (TFLite's quantization
// specification): input scale * weights' scale of the channel / output scale.
TfLiteStatus Fill(TfLiteContext *context, const TfLiteNode *node, const TfLiteTensor *input,
                  const TfLiteTensor *weights, TfLiteTensor *output) {
  auto *data = static_cast<Data *>(node->user_data);
  const auto *scales =
      static_cast<const TfLiteAffineQuantization *>(weights->quantization.params)->scale;
  data->channels = weights->dims->data[0];
  data->depth = weights->dims->data[1];
  data->input_zero_point = input->params.zero_point;
  data->output_zero_point = output->params.zero_point;
  const size_t bytes = static_cast<size_t>(data->channels) * sizeof(int32_t);
  data->multipliers = static_cast<int32_t *>(context->AllocatePersistentBuffer(context, bytes));
  data->shifts = static_cast<int32_t *>(context->AllocatePersistentBuffer(context, bytes));
  if (data->multipliers == nullptr || data->shifts == nullptr) {
    return kTfLiteError;
  }
  for (int channel = 0; channel < data->channels; ++channel) {
    const double scale = scales->data[scales->size == 1 ? 0 : channel];
    int shift;
    tflite::QuantizeMultiplier(
        static_cast<double>(input->params.scale) * scale / static_cast<double>(output->params.scale),
        &data->multipliers[channel], &shift);
    data->shifts[channel] = shift;
  }
  const auto *options = static_cast<const TfLiteFullyConnectedParams *>(node->builtin_data);
  return tflite::CalculateActivationRangeQuantized(context, options->activation, output,
                                                   &data->least, &data->most);
}

TfLiteStatus Prepare(TfLiteContext *context, TfLiteNode *node) {
  tflite::MicroContext *micro = tflite::GetMicroContext(context);
  TfLiteTensor *input = micro->AllocateTempInputTensor(node, kInput);
  TfLiteTensor *weights = micro->AllocateTempInputTensor(node, kWeights);
  TfLiteTensor *output = micro->AllocateTempOutputTensor(node, kOutput);
  TfLiteStatus status = kTfLiteError;
  if (node->user_data != nullptr && input != nullptr && weights != nullptr && output != nullptr &&
      input->type == kTfLiteInt8 && weights->type == kTfLiteInt8 && output->type == kTfLiteInt8) {
    status = Fill(context, node, input, weights, output);
  }
  for (TfLiteTensor *tensor : {output, weights, input}) {
    if (tensor != nullptr) {
      micro->DeallocateTempTfLiteTensor(tensor);
    }
  }
  return status;
}

TfLiteStatus Run(TfLiteContext *context, TfLiteNode *node) {
  const auto *data = static_cast<const Data *>(node->user_data);
  const TfLiteEvalTensor *input = tflite::micro::GetEvalInput(context, node, kInput);
  TfLiteEvalTensor *result = tflite::micro::GetEvalOutput(context, node, kOutput);
  const auto *all = tflite::micro::GetTensorData<int8_t>(
      tflite::micro::GetEvalInput(context, node, kWeights));
  const int32_t *bias = nullptr;
  if (tflite::NumInputs(node) > kBias && node->inputs->data[kBias] >= 0) {
    bias = tflite::micro::GetTensorData<int32_t>(tflite::micro::GetEvalInput(context, node, kBias));
  }
  const int8_t *values = tflite::micro::GetTensorData<int8_t>(input);
  int8_t *out = tflite::micro::GetTensorData<int8_t>(result);
  int rows = 1;
  for (int axis = 0; axis + 1 < result->dims->size; ++axis) {
    rows *= result->dims->data[axis];
  }
  for (int row = 0; row < rows; ++row, values += data->depth) {
    const int8_t *weights = all;
    for (int channel = 0; channel < data->channels; ++channel, weights += data->depth) {
      int32_t sum = bias == nullptr ? 0 : bias[channel];
      for (int i = 0; i < data->depth; ++i) {
        sum += (values[i] - data->input_zero_point) * weights[i];
      }
      sum = tflite::MultiplyByQuantizedMultiplier(sum, data->multipliers[channel],
                                                  data->shifts[channel]) +
            data->output_zero_point;
      sum = sum < data->least ? data->least : sum > data->most ? data->most : sum;
      *out++ = static_cast<int8_t>(sum);
    }
  }
  return kTfLiteOk;
}

}  // namespace

TfLiteRegistration tml_fully_connected_per_channel() {
  return tflite::micro::RegisterOp(Init, Prepare, Run);
}

#endif

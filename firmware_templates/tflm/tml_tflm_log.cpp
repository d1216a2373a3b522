// What TFLM asks of its target. All of it is weak: the Arduino library brings its own for the
// Nano 33 BLE, whose core links every file of every library.

#include <stdarg.h>
#include <stddef.h>

#if __has_include("tensorflow/lite/micro/micro_interpreter_graph.h")

// The current tree: a format and its arguments. Errors are found by the negative reasons of
// model.h, so the texts are dropped and no printf is linked.
extern "C" __attribute__((weak)) void DebugLog(const char *format, va_list arguments) {
  (void)format;
  (void)arguments;
}

extern "C" __attribute__((weak)) int DebugVsnprintf(char *buffer, size_t size, const char *format,
                                                     va_list arguments) {
  (void)format;
  (void)arguments;
  if (size > 0) {
    buffer[0] = '\0';
  }
  return 0;
}

#else

// The library of 2023: ready text.
extern "C" __attribute__((weak)) void DebugLog(const char *text) { (void)text; }

#endif

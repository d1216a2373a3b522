#include "tml_sha256.h"

#include <string.h>

#define BLOCK_BYTES 64u
#define LENGTH_BYTES 8u

/* The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
static const uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotated(uint32_t value, uint32_t bits) {
  return value >> bits | value << (32u - bits);
}

static uint32_t big_endian(const uint8_t *bytes) {
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Take one block into the state. The schedule needs the last 16 words only. */
static void compress(uint32_t state[8], const uint8_t *block) {
  uint32_t w[16], s[8];
  memcpy(s, state, sizeof s);
  for (uint32_t t = 0; t < 64; t++) {
    if (t < 16) {
      w[t] = big_endian(block + 4u * t);
    } else {
      const uint32_t a = w[(t + 1u) & 15u], b = w[(t + 14u) & 15u];
      w[t & 15u] += (rotated(a, 7) ^ rotated(a, 18) ^ a >> 3) + w[(t + 9u) & 15u] +
                    (rotated(b, 17) ^ rotated(b, 19) ^ b >> 10);
    }
    const uint32_t sum = rotated(s[4], 6) ^ rotated(s[4], 11) ^ rotated(s[4], 25);
    const uint32_t choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
    const uint32_t first = s[7] + sum + choice + constants[t] + w[t & 15u];
    const uint32_t majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
    const uint32_t second = (rotated(s[0], 2) ^ rotated(s[0], 13) ^ rotated(s[0], 22)) + majority;
    memmove(s + 1, s, 7 * sizeof s[0]);
    s[4] += first;
    s[0] = first + second;
  }
  for (uint32_t i = 0; i < 8; i++) {
    state[i] += s[i];
  }
}

void tml_sha256(const uint8_t *data, uint32_t bytes, uint8_t digest[TML_SHA256_BYTES]) {
  /* The fractional parts of the square roots of the first 8 primes. */
  uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                       0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  uint8_t last[2u * BLOCK_BYTES] = {0};
  const uint32_t rest = bytes % BLOCK_BYTES;
  const uint32_t last_bytes = rest + 1u + LENGTH_BYTES <= BLOCK_BYTES ? BLOCK_BYTES : sizeof last;
  for (uint32_t at = 0; at + BLOCK_BYTES <= bytes; at += BLOCK_BYTES) {
    compress(state, data + at);
  }
  memcpy(last, data + (bytes - rest), rest);
  last[rest] = 0x80;
  for (uint32_t i = 0; i < LENGTH_BYTES; i++) {
    last[last_bytes - 1u - i] = (uint8_t)((uint64_t)bytes * 8u >> (8u * i));
  }
  for (uint32_t at = 0; at < last_bytes; at += BLOCK_BYTES) {
    compress(state, last + at);
  }
  for (uint32_t i = 0; i < TML_SHA256_BYTES; i++) {
    digest[i] = (uint8_t)(state[i / 4u] >> (24u - 8u * (i % 4u)));
  }
}

/** ITU-T G.711: the two logarithmic 8-bit codes of telephony, each expanded by a table of 256 values in −1…1. */

const FULL_SCALE = 32_768;
/** µ-law adds this before taking the logarithm; expansion takes it off again. */
const MULAW_BIAS = 132;

function expandMulaw(code: number): number {
  const bits = ~code & 0xff;
  const exponent = (bits >> 4) & 0x07;
  const magnitude = (((bits & 0x0f) << 3) + MULAW_BIAS) << exponent;
  return (bits & 0x80 ? MULAW_BIAS - magnitude : magnitude - MULAW_BIAS) / FULL_SCALE;
}

function expandAlaw(code: number): number {
  // Every other bit is inverted on the line (G.711, note to table 1a).
  const bits = code ^ 0x55;
  const exponent = (bits >> 4) & 0x07;
  const mantissa = ((bits & 0x0f) << 4) + 8;
  const magnitude = exponent === 0 ? mantissa : (mantissa + 0x100) << (exponent - 1);
  return (bits & 0x80 ? magnitude : -magnitude) / FULL_SCALE;
}

/** The sample each µ-law byte stands for. */
export const MULAW_TO_LINEAR: Float32Array = Float32Array.from({ length: 256 }, (_, code) =>
  expandMulaw(code),
);

/** The sample each A-law byte stands for. */
export const ALAW_TO_LINEAR: Float32Array = Float32Array.from({ length: 256 }, (_, code) => expandAlaw(code));

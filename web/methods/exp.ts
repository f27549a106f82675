/**
 * The exponential function with the same bits in every JavaScript engine. Math.exp differs in the
 * last bit from engine to engine, and from version to version.
 */
const LN2_HIGH = 6.9314718036912381649e-1; // its last 32 bits are 0: k * LN2_HIGH is exact
const LN2_LOW = 1.90821492927058770002e-10;
const MIN = -708; // below: 0. Above, no intermediate result is subnormal
const MAX = 709;

/** 2^(i - 1022), exactly. */
const POWERS = new Float64Array(2046);
POWERS[1022] = 1;
for (let i = 1023; i < 2046; i++) POWERS[i] = POWERS[i - 1]! * 2;
for (let i = 1021; i >= 0; i--) POWERS[i] = POWERS[i + 1]! / 2;

/** Coefficients of r (exp(r) + 1) / (exp(r) - 1) in powers of r squared, from the second one. */
const P = [
  1.66666666666666019037e-1, -2.77777777770155933842e-3, 6.61375632143793436117e-5,
  -1.6533902205465251539e-6, 4.13813679705723846039e-8,
];

/** e to the power of x: within one unit in the last place. 0 below -708. */
export function exp(x: number): number {
  if (Number.isNaN(x) || x > MAX) return x > MAX ? Infinity : x;
  if (x < MIN) return 0;
  const k = Math.round(x / Math.LN2);
  const high = x - k * LN2_HIGH;
  const low = k * LN2_LOW;
  const r = high - low;
  const square = r * r;
  const c = r - square * P.reduceRight((sum, p) => sum * square + p, 0);
  // exp(r) = 1 + r + r c / (2 - c), with the rounding error of r
  const power = 1 - (low - (r * c) / (2 - c) - high);
  return power * POWERS[k + 1022]!;
}

// The group P-256 (FIPS 186-4 D.1.2.3) in plain integers, for what is public: nothing here runs in constant time.
//
// node:crypto signs and verifies but does not add points, which every proof here needs.

const P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;
/** The order of the group. */
export const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

export const mod = (a, m) => ((a % m) + m) % m;

function power(base, exponent, m) {
  let result = 1n;
  for (let b = mod(base, m), e = exponent; e > 0n; e >>= 1n, b = (b * b) % m) if (e & 1n) result = (result * b) % m;
  return result;
}

/** 1/a modulo m, by Euclid. */
export function invert(a, m) {
  let [r, s, u, v] = [m, mod(a, m), 0n, 1n];
  while (s > 1n) [r, s, u, v] = [s, r % s, v, u - (r / s) * v];
  if (s !== 1n) throw new Error("zero has no inverse");
  return mod(v, m);
}

export const fromBytes = (bytes) => BigInt(`0x${Buffer.from(bytes).toString("hex") || "0"}`);
export const toBytes = (n) => Buffer.from(n.toString(16).padStart(64, "0"), "hex");

// Jacobian coordinates: (X : Y : Z) is the point (X/Z^2, Y/Z^3), and Z = 0 the identity. The formulas are dbl-2001-b and
// add-1998-cmo-2 of the Explicit-Formulas Database, for a = -3.
const IDENTITY = [1n, 1n, 0n];

function double([X, Y, Z]) {
  if (Z === 0n) return IDENTITY;
  const delta = (Z * Z) % P;
  const gamma = (Y * Y) % P;
  const beta = (X * gamma) % P;
  const alpha = (3n * (X - delta) * (X + delta)) % P;
  const X3 = mod(alpha * alpha - 8n * beta, P);
  const Z3 = mod((Y + Z) * (Y + Z) - gamma - delta, P);
  return [X3, mod(alpha * (4n * beta - X3) - 8n * gamma * gamma, P), Z3];
}

function add(p, q) {
  const [X1, Y1, Z1] = p;
  const [X2, Y2, Z2] = q;
  if (Z1 === 0n) return q;
  if (Z2 === 0n) return p;
  const Z1Z1 = (Z1 * Z1) % P;
  const Z2Z2 = (Z2 * Z2) % P;
  const U1 = (X1 * Z2Z2) % P;
  const S1 = (((Y1 * Z2) % P) * Z2Z2) % P;
  const H = mod(X2 * Z1Z1 - U1, P);
  const r = mod((((Y2 * Z1) % P) * Z1Z1) - S1, P);
  if (H === 0n) return r === 0n ? double(p) : IDENTITY;
  const HH = (H * H) % P;
  const HHH = (H * HH) % P;
  const V = (U1 * HH) % P;
  const X3 = mod(r * r - HHH - 2n * V, P);
  return [X3, mod(r * (V - X3) - S1 * HHH, P), (((Z1 * Z2) % P) * H) % P];
}

/** A point of the curve other than the identity. The order is prime, so that it is a point of the group. */
export class Point {
  #multiples;

  constructor(x, y) {
    this.x = x;
    this.y = y;
  }

  /** SEC 1 section 2.3.4: 33 bytes. Undefined for everything that is not such a point. */
  static fromCompressed(bytes) {
    if (bytes.length !== 33 || (bytes[0] !== 2 && bytes[0] !== 3)) return undefined;
    const x = fromBytes(bytes.subarray(1));
    if (x >= P) return undefined;
    const square = mod(x * x * x - 3n * x + B, P);
    const y = power(square, (P + 1n) / 4n, P); // P = 3 mod 4
    if ((y * y) % P !== square) return undefined;
    return new Point(x, (y & 1n) === BigInt(bytes[0] & 1) ? y : P - y);
  }

  /** 65 bytes. */
  static fromUncompressed(bytes) {
    if (bytes.length !== 65 || bytes[0] !== 4) return undefined;
    const [x, y] = [fromBytes(bytes.subarray(1, 33)), fromBytes(bytes.subarray(33))];
    if (x >= P || y >= P || mod(x * x * x - 3n * x + B - y * y, P) !== 0n) return undefined;
    return new Point(x, y);
  }

  compressed() {
    return Buffer.concat([Buffer.from([this.y & 1n ? 3 : 2]), toBytes(this.x)]);
  }

  uncompressed() {
    return Buffer.concat([Buffer.from([4]), toBytes(this.x), toBytes(this.y)]);
  }

  equals(other) {
    return other instanceof Point && this.x === other.x && this.y === other.y;
  }

  /** 0 to 15 times the point: one for every value of a window of four bits. */
  get multiples() {
    if (!this.#multiples) {
      this.#multiples = [IDENTITY];
      for (let n = 1; n < 16; n += 1) this.#multiples.push(add(this.#multiples[n - 1], [this.x, this.y, 1n]));
    }
    return this.#multiples;
  }
}

export const G = new Point(
  0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
  0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
);

/** The sum of scalar times point over all pairs, doubling once for all of them; undefined for the identity. */
export function sum(pairs) {
  const terms = pairs.map(([scalar, point]) => [mod(scalar, N), point.multiples]);
  let result = IDENTITY;
  for (let shift = 252n; shift >= 0n; shift -= 4n) {
    if (result[2] !== 0n) for (let i = 0; i < 4; i += 1) result = double(result);
    for (const [scalar, multiples] of terms) result = add(result, multiples[Number((scalar >> shift) & 15n)]);
  }
  const [X, Y, Z] = result;
  if (Z === 0n) return undefined;
  const z = invert(Z, P);
  return new Point((X * z * z) % P, (Y * ((z * z * z) % P)) % P);
}

export const times = (scalar, point) => sum([[scalar, point]]);

/** Lagrange's coefficient of member i at x, among `members`: the product over the others j of (x - j)/(i - j). */
export function coefficient(i, members, x) {
  const others = members.filter((j) => j !== i).map(BigInt);
  const above = others.reduce((product, j) => product * (BigInt(x) - j), 1n);
  const below = others.reduce((product, j) => product * (BigInt(i) - j), 1n);
  return mod(above * invert(below, N), N);
}

/**
 * The value at x of the polynomial of degree k - 1 through the k points of lowest index, `points` being [index, point]:
 * Shamir's sharing in the exponent. Undefined where they do not determine a point.
 */
export function interpolate(k, points, x) {
  const sorted = [...points].sort(([a], [b]) => a - b);
  const indices = sorted.map(([index]) => index);
  if (k < 1 || sorted.length < k || indices.includes(0) || new Set(indices).size !== indices.length) return undefined;
  const used = indices.slice(0, k);
  return sum(sorted.slice(0, k).map(([index, point]) => [coefficient(index, used, x), point]));
}

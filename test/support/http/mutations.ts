/** Mutations of a byte stream: small errors anywhere in it, and a split into pieces. Text is latin1. */
import fc from 'fast-check';

/** Bytes as they arrive. */
export interface WireCase {
  readonly text: string;
  /** Where the stream is cut into pieces, as fractions of 2³². */
  readonly cuts: readonly number[];
}

/** The stream of a case as pieces in order; empty ones are left out. */
export function piecesOf({ text, cuts }: WireCase): Buffer[] {
  const bytes = Buffer.from(text, 'latin1');
  const at = [...cuts.map((cut) => place(cut, bytes.length)), bytes.length].sort((a, b) => a - b);
  const pieces: Buffer[] = [];
  let from = 0;
  for (const to of at) {
    if (to > from) pieces.push(bytes.subarray(from, to));
    from = to;
  }
  return pieces;
}

/** A fraction of 2³² as an index from 0 to `length`: a position that any text has. */
export function place(fraction: number, length: number): number {
  return Math.floor((fraction / 2 ** 32) * (length + 1));
}

export const fraction = fc.nat({ max: 2 ** 32 - 1 });

/** Mostly `usual`; `odd` in about one of `rarity` cases. */
export function mostly<T, U>(
  usual: fc.Arbitrary<T>,
  odd: fc.Arbitrary<U>,
  rarity: number,
): fc.Arbitrary<T | U> {
  return fc.oneof({ weight: rarity - 1, arbitrary: usual }, { weight: 1, arbitrary: odd });
}

const bytes = [...'\r\n\t\0\x0b\x1f\x7f\x80\xff :;,_-0%#', '\r\n', '\r\n ', '\r\n\t', '\n\n', '\r\n\r\n'];
const words = [
  ';x=y',
  ' HTTP/1.1',
  '0\r\n\r\n',
  'FFFFFFFFF\r\n',
  '3\r\nabc\r\n',
  '_real_ip',
  'chunked',
  '..',
];
const lines = [
  'Host: b\r\n',
  'Content-Length: 3\r\n',
  'Content-Length : 3\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding:\x0bchunked\r\n',
  'Expect: 100-continue\r\n',
  'Connection: close\r\n',
  'X-Forwarded-For: 1\r\n',
];
const wound = fc.constantFrom(...bytes, ...words, ...lines);
const anyByte = fc.nat({ max: 255 }).map((code) => String.fromCharCode(code));

const kinds = ['insert', 'replace', 'delete', 'duplicate', 'reverse'] as const;
const lineKinds = ['line_delete', 'line_duplicate', 'line_swap'] as const;

interface Mutation {
  readonly kind: (typeof kinds)[number] | (typeof lineKinds)[number];
  /** Position, and for lines the target too: fractions of 2³². */
  readonly at: number;
  readonly to: number;
  readonly length: number;
  readonly text: string;
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom(...kinds, ...lineKinds),
  at: fraction,
  to: fraction,
  length: mostly(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 80 }), 4),
  text: mostly(wound, anyByte, 3),
});

function mutate(stream: string, { kind, at, to, length, text }: Mutation): string {
  if (kind.startsWith('line_')) return mutateLines(stream, { kind, at, to });
  const from = place(at, stream.length);
  const before = stream.slice(0, from);
  const part = stream.slice(from, from + length);
  const after = stream.slice(from + length);
  if (kind === 'insert') return before + text + part + after;
  if (kind === 'replace') return before + text + stream.slice(from + text.length);
  if (kind === 'delete') return before + after;
  if (kind === 'duplicate') return before + part + part + after;
  return before + [...part].reverse().join('') + after;
}

function mutateLines(stream: string, { kind, at, to }: Pick<Mutation, 'kind' | 'at' | 'to'>): string {
  const lines = stream.split(/(?<=\r\n)/);
  const first = place(at, lines.length - 1);
  const other = place(to, lines.length - 1);
  const taken = lines[first] ?? '';
  if (kind === 'line_delete') lines.splice(first, 1);
  else if (kind === 'line_duplicate') lines.splice(other, 0, taken);
  else {
    lines[first] = lines[other] ?? '';
    lines[other] = taken;
  }
  return lines.join('');
}

const mutations = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Mutation[]>([]) },
  { weight: 5, arbitrary: fc.array(mutation, { minLength: 1, maxLength: 1 }) },
  { weight: 2, arbitrary: fc.array(mutation, { minLength: 2, maxLength: 4 }) },
);

/** Three in ten unchanged, the others with one to four mutations; up to four pieces. */
export function wire(stream: fc.Arbitrary<string>): fc.Arbitrary<WireCase> {
  return fc
    .tuple(stream, mutations, fc.array(fraction, { maxLength: 3 }))
    .map(([text, wounds, cuts]) => ({ text: wounds.reduce(mutate, text), cuts }));
}

/** A configuration with a thousand ranges, pins and routes, the bench's own among them. */
import { createHash, X509Certificate } from 'node:crypto';

const many = 1_000;
/** The index of the bench's own: near the end. */
const place = 900;

/** 127.0.0.0/8, and networks of every length from /9 to /32 in the upper half. */
export function manyRanges(): string[] {
  return among('127.0.0.0/8', (index) => {
    const prefix = 9 + (index % 24);
    const first = 2 ** 31 + Math.floor(index / 24) * 2 ** (32 - prefix);
    return `${[24, 16, 8, 0].map((shift) => (first >>> shift) & 0xff).join('.')}/${prefix}`;
  });
}

/** SPKI pins: random ones, and the leaf's. */
export function manyPins(leafPem: string): string[] {
  const spki = new X509Certificate(leafPem).publicKey.export({ type: 'spki', format: 'der' });
  return among(pin(spki), (index) => pin(`key ${index}`));
}

/** Deep paths beside the message's own, each with a host of its own. */
export function manyRoutes(messagePath: string, upstream: number): { path: string; upstream: string }[] {
  return among({ path: messagePath, upstream: `http://127.0.0.1:${upstream}` }, (index) => ({
    path: `/ehi/programmes/${index}/messages`,
    upstream: `http://127.1.${index >> 8}.${index & 0xff}:${upstream}`,
  }));
}

function among<Item>(own: Item, other: (index: number) => Item): Item[] {
  return Array.from({ length: many }, (_, index) => (index === place ? own : other(index)));
}

function pin(spki: string | Buffer): string {
  return `sha256/${createHash('sha256').update(spki).digest('base64')}`;
}

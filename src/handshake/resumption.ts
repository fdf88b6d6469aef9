/**
 * Derives the session ticket keys from a secret and from the trust under which a session is made: a ticket from other trust
 * cannot be decrypted, and replicas with the same secret and trust resume each other's sessions. TLS does not verify a
 * resumed client again (RFC 8446 §2.2). identity/authorize.ts does; the keys are a second protection.
 */
import { createHash, hkdfSync } from 'node:crypto';
import type { AnchorMaterial, MatchRule } from '../policy/snapshot.ts';

export interface TicketOptions {
  /** At least 32 bytes; equal in all replicas. */
  readonly secret: Uint8Array;
  readonly trust: Trust;
  /** From `epochOf`. */
  readonly epoch: number;
}

/** The part of the policy snapshot that decides whom a ticket is issued to: a change makes earlier tickets invalid. */
interface Trust {
  readonly anchors: readonly Pick<AnchorMaterial, 'root' | 'issuing'>[];
  readonly pins: readonly string[] | null;
  readonly match: readonly MatchRule[] | null;
}

/** Length of Node's `ticketKeys`: 16 bytes each of name, HMAC key and AES key. */
const keyBytes = 48;

/** Increase the number when the encoding below changes: replicas of both versions then do not accept each other's tickets. */
const label = 'ehi-gateway ticket keys 1';

/**
 * 48 bytes: HKDF-SHA-256 (RFC 5869) of the secret, with the label as salt, and with label, digest of the trust and epoch as
 * info. The order of anchors, issuing CAs, pins and rules does not matter; any other difference gives different keys.
 */
export function ticketKeys({ secret, trust, epoch }: TicketOptions): Uint8Array {
  const info = list([text(label), digestOf(trust), text(String(epoch))]);
  return new Uint8Array(hkdfSync('sha256', secret, label, info, keyBytes));
}

/** The number of the period of `rotate` ms that contains `now` (ms), counted from 1970 UTC: equal in all replicas. */
export function epochOf(now: number, rotate: number): number {
  return Math.floor(now / rotate);
}

/** End of the epoch that contains `now`, ms since 1970 UTC. */
export function epochEnd(now: number, rotate: number): number {
  return (epochOf(now, rotate) + 1) * rotate;
}

function digestOf({ anchors, pins, match }: Trust): Uint8Array {
  const trust = list([
    set(anchors.map(({ root, issuing }) => list([root, set(issuing)]))),
    optional(pins && set(pins.map(text))),
    optional(match && set(match.map((rule) => text(canonicalJson(rule))))),
  ]);
  return createHash('sha256').update(trust).digest();
}

/** With the fields in the order of their names. */
function canonicalJson(rule: MatchRule): string {
  return JSON.stringify(Object.fromEntries(Object.entries(rule).sort(([a], [b]) => (a < b ? -1 : 1))));
}

/** Count and lengths come first, four bytes each, so that no two lists encode to the same bytes. */
function list(items: readonly Uint8Array[]): Buffer {
  return Buffer.concat([uint32(items.length), ...items.flatMap((item) => [uint32(item.length), item])]);
}

function set(items: readonly Uint8Array[]): Buffer {
  return list([...items].sort(Buffer.compare));
}

/** null and an empty list encode differently. */
function optional(bytes: Uint8Array | null): Buffer {
  return list(bytes === null ? [] : [bytes]);
}

function text(value: string): Buffer {
  return Buffer.from(value, 'utf8');
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Reads a JSON Web Key Set (RFC 7517 §5) strictly: a set with a secret is refused as a whole, an odd key is skipped and named. */
import { printable } from '../foreign-text.ts';
import { describeFile } from '../pki/file-kind.ts';
import { kidOf, type Members, type PublicJwk, readPublicKey } from './public-key.ts';
import { readJson } from './strict-json.ts';

export type { PublicJwk } from './public-key.ts';

/** A key that is not used; the others of its set are. */
export interface SkippedKey {
  /** Position in the set, from 0. */
  readonly index: number;
  readonly kid: string | null;
  /** `its curve (crv) is none of …`; never repeats the input. */
  readonly why: string;
}

export type KeySetReading =
  | { readonly ok: true; readonly keys: readonly PublicJwk[]; readonly skipped: readonly SkippedKey[] }
  /** Nothing of the set is to be used. `problem` never repeats the input except for a `kid`. */
  | { readonly ok: false; readonly problem: string };

/** Bytes of a set. */
export const MAX_KEY_SET_BYTES = 1024 * 1024;
const MAX_KEYS = 1000;

/** Members that only a private or a symmetric key has (RFC 7518 §6.2.2, §6.3.2, §6.4). */
const secretMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const;

/** A set without keys is read as such: a set of inactive keys is usually empty. */
export function readKeySet(bytes: Uint8Array): KeySetReading {
  if (bytes.length > MAX_KEY_SET_BYTES) return refuse(`more than ${MAX_KEY_SET_BYTES} bytes`);
  const json = readJson(bytes);
  if (!json.ok) return refuse(describeFile(bytes) ?? json.problem);
  const { keys } = membersIn(json.value) ?? {};
  if (!Array.isArray(keys)) return refuse('JSON without an array "keys"');
  if (keys.length > MAX_KEYS) return refuse(`${keys.length} keys, more than ${MAX_KEYS}`);
  const members = keys.map(membersIn);
  // A secret in a public place is compromised, and with a symmetric key those who verify could also sign.
  const secret = members.findIndex((key) => key !== null && hasSecret(key));
  if (secret !== -1)
    return refuse(
      `a private or symmetric key, ${nameOf(members[secret] ?? {}, secret)}: remove it and replace the key`,
    );
  return readKeys(members);
}

function readKeys(members: readonly (Members | null)[]): KeySetReading {
  const keys: PublicJwk[] = [];
  const skipped: SkippedKey[] = [];
  for (const [index, key] of members.entries()) {
    const reading = key === null ? ({ ok: false, why: 'it is no JSON object' } as const) : readPublicKey(key);
    if (reading.ok) keys.push(reading.key);
    else skipped.push({ index, kid: key && kidOf(key), why: reading.why });
  }
  const [first] = skipped;
  if (keys.length === 0 && first !== undefined)
    return refuse(`no key that can be used; the first is skipped: ${describeSkipped(first)}`);
  return { ok: true, keys, skipped };
}

/** `keys[2] (kid a) is skipped: its …`. */
export function describeSkipped({ index, kid, why }: SkippedKey): string {
  return `${nameOf({ kid }, index)}: ${why}`;
}

function nameOf(key: Members, index: number): string {
  const kid = kidOf(key);
  return kid === null ? `keys[${index}]` : `keys[${index}] (kid ${printable(kid)})`;
}

function hasSecret(key: Members): boolean {
  return key.kty === 'oct' || secretMembers.some((name) => Object.hasOwn(key, name));
}

function membersIn(value: unknown): Members | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : null;
}

function refuse(problem: string): KeySetReading {
  return { ok: false, problem };
}

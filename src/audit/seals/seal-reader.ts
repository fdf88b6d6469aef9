/** Reads a seal back from its line, strictly: only the bytes that the gateway writes are a seal. */
import { type KeyObject, verify } from 'node:crypto';
import { hashOfSeal, isSealLine, type Seal, type SealEvent, signedBytesOf } from './seal.ts';

const hash = '[0-9a-f]{64}';
const id = '[0-9a-f]{16}';
/** Fields in this order and no others, so that nothing can be added to a seal without its signature. */
const sealForm = new RegExp(
  '^{"type":"seal","time":"(\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z)","event":"(started|resumed|sealed|truncated|stopped)"' +
    `,"chain":"(${id})","seq":(0|[1-9]\\d{0,14}),"lines":(0|[1-9]\\d{0,14}),"sha256":"(${hash})","previous":(null|"${hash}")` +
    `,"lost":(0|[1-9]\\d{0,14}),"key":(null|"${id}"),"signature":(null|"[A-Za-z0-9+/]{86}==")}$`,
);

export interface ReadSeal extends Seal {
  /** Hex SHA-256 of the line, as the next seal has it in `previous`. */
  readonly hash: string;
}

/** null: the line is no seal, or not exactly as the gateway writes one. */
export function readSeal(line: Buffer): ReadSeal | null {
  if (!isSealLine(line)) return null;
  const found = sealForm.exec(line.toString('latin1'));
  if (found === null) return null;
  const [, time = '', event = '', chain = '', seq, lines, sha256 = '', previous, lost, key, signature] =
    found;
  return {
    ...{
      type: 'seal',
      time,
      event: event as SealEvent,
      chain,
      seq: Number(seq),
      lines: Number(lines),
      sha256,
    },
    ...{
      previous: unquoted(previous),
      lost: Number(lost),
      key: unquoted(key),
      signature: unquoted(signature),
    },
    hash: hashOfSeal(line),
  };
}

/** `unsigned`: the seal has no signature. `unknown`: it names a key that was not given. `invalid`: the key did not sign it. */
export type SignatureState = 'valid' | 'unsigned' | 'unknown' | 'invalid';

/** `keys`: the public keys by their ids. */
export function checkSignature(
  seal: ReadSeal,
  { line, keys }: { readonly line: Buffer; readonly keys: ReadonlyMap<string, KeyObject> },
): SignatureState {
  if (seal.key === null && seal.signature === null) return 'unsigned';
  if (seal.key === null || seal.signature === null) return 'invalid';
  const key = keys.get(seal.key);
  if (key === undefined) return 'unknown';
  const signature = Buffer.from(seal.signature, 'base64');
  const signed = signedBytesOf(line);
  // The last character of base64 has bits that do not count: only the spelling of the gateway is accepted.
  const isCanonical = signature.toString('base64') === seal.signature;
  return isCanonical && signed !== null && verify(null, signed, key, signature) ? 'valid' : 'invalid';
}

function unquoted(text: string | undefined): string | null {
  return text === undefined || text === 'null' ? null : text.slice(1, -1);
}

/** Reads the fields of a request that have the signature of its body, strictly. A pure function of fields, policy and time. */
import { countAlike, fieldValues } from '../message/head-fields.ts';
import type { SignatureRefusal } from '../message/message-reasons.ts';
import type { SignaturePolicy } from '../policy/snapshot.ts';
import { type JwsValue, MAX_KID, readJws } from './jws-algorithm.ts';
import { checkTimestamp, type Timestamp } from './timestamp.ts';

/** Characters of the field with the signature: that of an RSA key of 8192 bits in hex has 2048. */
const MAX_SIGNATURE = 8192;

export type SignatureValue =
  | JwsValue
  /** `kid`: null if the request names no key. */
  | { readonly kind: 'raw'; readonly bytes: Buffer; readonly kid: string | null }
  | { readonly kind: 'hmac'; readonly bytes: Buffer };

export interface SignatureFields {
  readonly refusal: null;
  readonly value: SignatureValue;
  /** null: the policy demands none. */
  readonly timestamp: Timestamp | null;
}

type Refused = { readonly refusal: SignatureRefusal };

/** `now`: milliseconds since the epoch. */
export function readSignatureFields(
  fields: string,
  { policy, now }: { readonly policy: SignaturePolicy; readonly now: number },
): SignatureFields | Refused {
  const field = readOne(fields, policy.header);
  if (field.refusal !== null) return field;
  if (field.value === null) return { refusal: 'signature_missing' };
  if (field.value.length > MAX_SIGNATURE) return { refusal: 'signature_syntax' };
  const value = readValue(field.value, { fields, policy });
  if ('refusal' in value) return value;
  const timestamp = readTimestamp(fields, { policy, now });
  return timestamp !== null && 'refusal' in timestamp ? timestamp : { refusal: null, value, timestamp };
}

/** `value`: null if there is no such field. */
function readOne(
  fields: string,
  name: string,
): Refused | { readonly refusal: null; readonly value: string | null } {
  const [value = null] = fieldValues(fields, name);
  // Which of several the host would take is not known.
  return countAlike(fields, name) > 1 ? { refusal: 'signature_repeated' } : { refusal: null, value };
}

function readValue(
  text: string,
  { fields, policy }: { readonly fields: string; readonly policy: SignaturePolicy },
): SignatureValue | Refused {
  if (policy.hmac === null && policy.scheme === 'jws-detached') return readJws(text, policy);
  const bytes = decode(text, policy.encoding);
  if (bytes === null) return { refusal: 'signature_syntax' };
  if (policy.hmac !== null) return { kind: 'hmac', bytes };
  const kid = policy.kidHeader === null ? null : readOne(fields, policy.kidHeader);
  if (kid === null) return { kind: 'raw', bytes, kid };
  if (kid.refusal !== null) return kid;
  const isNamed = kid.value !== null && kid.value !== '' && kid.value.length <= MAX_KID;
  return isNamed ? { kind: 'raw', bytes, kid: kid.value } : { refusal: 'signature_key_missing' };
}

/** null: another spelling than the one that the bytes have in this encoding. Hex may have either case. */
function decode(text: string, encoding: SignaturePolicy['encoding']): Buffer | null {
  const bytes = Buffer.from(text, encoding);
  const written = bytes.toString(encoding);
  const isSame = written === (encoding === 'hex' ? text.toLowerCase() : text);
  return isSame && bytes.length > 0 ? bytes : null;
}

function readTimestamp(
  fields: string,
  { policy, now }: { readonly policy: SignaturePolicy; readonly now: number },
): SignatureFields['timestamp'] | Refused {
  if (policy.timestamp === null) return null;
  const { header, tolerance } = policy.timestamp;
  const field = readOne(fields, header);
  if (field.refusal !== null) return field;
  if (field.value === null) return { refusal: 'signature_timestamp_missing' };
  return checkTimestamp(field.value, { tolerance, now }) ?? { refusal: 'signature_timestamp' };
}

/** Finds in a ClientHello what client and gateway do not share: cipher suite, key exchange group or signature algorithm. */
import { adviceText, listAddress } from '../explanation.ts';
import type { ClientHello } from './client-hello.ts';
import { type Failure, failure } from './failure-reasons.ts';
import { describeOffer, listOffer } from './offer-names.ts';

/** What the gateway offers to this client. */
export interface Offer {
  /** The keys of the gateway's certificates. */
  readonly keys: readonly ServerKey[];
  /** Bytes of the shortest of the gateway's certificate chains. */
  readonly chainBytes: number;
  /** The client's address is listed; others are offered fewer groups. */
  readonly isListed: boolean;
}

export interface ServerKey {
  readonly type: 'rsa' | 'ec' | 'other';
  /** Code of the curve of an `ec` key; null: of another type, or not a curve of TLS. */
  readonly curve: number | null;
}

/** Cipher suites of TLS 1.2 that the gateway offers (tls-options.ts) → the kind of key that each needs. */
const suites12: Readonly<Record<number, 'rsa' | 'ec'>> = {
  49195: 'ec',
  49196: 'ec',
  52393: 'ec',
  49199: 'rsa',
  49200: 'rsa',
  52392: 'rsa',
};
const suites13 = [0x1301, 0x1302, 0x1303];
/** X25519MLKEM768, X25519, P-256, P-384 (tls-servers.ts). */
const groups = [0x11ec, 29, 23, 24];
/** X448, P-521; and ffdhe2048, ffdhe3072 for TLS 1.3. */
const furtherGroups = [30, 25];
const finiteFields = [256, 257];
/** Signature schemes for an RSA key (RFC 8446 §4.2.3): PKCS#1 counts up to TLS 1.2 only. */
const rsaPss = [0x0804, 0x0805, 0x0806];
const rsaPkcs1 = [0x0401, 0x0501, 0x0601];
const ecdsa = [0x0403, 0x0503, 0x0603];
/** Curve → the one scheme of TLS 1.3 for it. */
const ecdsaByCurve: Readonly<Record<number, number>> = { 23: 0x0403, 24: 0x0503, 25: 0x0603 };
const TLS12 = 0x0303;

/** OpenSSL reports every mismatch of TLS 1.2 as one of cipher suites. */
export function explainMismatch(found: Failure, hello: ClientHello, offer: Offer): Failure {
  const offered = hello.suites.filter((code) => isCode(code) && !signals.includes(code));
  const known = offered.filter((suite) => (is13(hello) ? suites13.includes(suite) : suite in suites12));
  if (known.length === 0) return explainSuites(hello, offered);
  const named = hello.groups?.filter(isCode) ?? [];
  // Without the extension OpenSSL assumes that the client has no group.
  if (named.length === 0)
    return failure('no_shared_group', 'the client names no key exchange group (supported_groups)');
  const further = [...furtherGroups, ...(is13(hello) ? finiteFields : [])];
  if (!named.some((group) => groups.includes(group) || (offer.isListed && further.includes(group)))) {
    const what = `the client offers only ${describeOffer('key exchange group', named)}`;
    return named.some((group) => further.includes(group))
      ? failure('no_shared_group', what, unlistedAdvice)
      : failure('no_shared_group', what);
  }
  return explainKeyMismatch(found, hello, { keys: offer.keys, known });
}

function is13({ version }: ClientHello): boolean {
  return version > TLS12;
}

/** Not a value that clients add at random (RFC 8701 §2). */
function isCode(code: number): boolean {
  return (code & 0x0f0f) !== 0x0a0a || code >>> 8 !== (code & 0xff);
}

/** Signals in the list of cipher suites (RFC 5746 §3.3, RFC 7507 §2). */
const signals = [0x00ff, 0x5600];

/** RFC 8446 appendix B.4, and RFC 8998. */
function isSuite13(code: number): boolean {
  return (code >= 0x1301 && code <= 0x1307) || code === 0x00c6 || code === 0x00c7;
}

const restricted = 'old or restricted cipher suites';
const suiteAdvice12 = adviceText({
  cause: restricted,
  client: 'enable ECDHE suites with AES-GCM or ChaCha20 (RFC 9325 §4.2)',
  gateway: null,
});
const suiteAdvice13 = adviceText({
  cause: restricted,
  client: 'enable TLS_AES_128_GCM_SHA256',
  gateway: null,
});

/** `offered`: without signals and random values. */
function explainSuites(hello: ClientHello, offered: readonly number[]): Failure {
  const suites = offered.filter((code) => isSuite13(code) === is13(hello));
  const advice = is13(hello) ? suiteAdvice13 : suiteAdvice12;
  if (suites.length > 0)
    return failure(
      'no_shared_cipher',
      `the client offers${is13(hello) ? ' for TLS 1.3' : ''} only ${describeOffer('cipher suite', suites)}`,
      advice,
    );
  if (offered.length === 0)
    return failure(
      'no_shared_cipher',
      'the client offers no cipher suite',
      adviceText({
        cause: 'its list of cipher suites is empty after those that its TLS library or policy disables',
        client: 'enable TLS_AES_128_GCM_SHA256 for TLS 1.3, and ECDHE suites with AES-GCM for TLS 1.2',
        gateway: null,
      }),
    );
  const others = listOffer('cipher suite', offered);
  return is13(hello)
    ? failure(
        'no_shared_cipher',
        `the client offers TLS 1.3, and only cipher suites of older versions: ${others}`,
        adviceText({
          cause: 'the cipher suites of TLS 1.3 are disabled in the client, and the version is not',
          client: 'enable TLS_AES_128_GCM_SHA256, or disable TLS 1.3',
          gateway: null,
        }),
      )
    : failure(
        'no_shared_cipher',
        `the client offers TLS 1.2 at most, and only cipher suites of TLS 1.3: ${others}`,
        adviceText({
          cause: 'TLS 1.3 is disabled in the client, and so are the cipher suites of TLS 1.2',
          client: 'enable TLS 1.3, or ECDHE suites with AES-GCM for TLS 1.2',
          gateway: null,
        }),
      );
}

const unlistedAdvice = adviceText({
  cause:
    'groups (curves) are restricted in the client’s configuration; the gateway accepts P-521, X448 and finite fields from listed addresses only',
  client: 'enable X25519, P-256 or P-384',
  gateway: `if the client is yours and cannot, ${listAddress}`,
});

const curveAdvice = adviceText({
  cause:
    'groups (curves) are restricted in the client’s configuration; in TLS 1.2 they limit certificates as well',
  client: 'enable the curve of the gateway’s certificate as well (usually P-256)',
  gateway: 'or configure an RSA certificate besides',
});

/** The client's suites and groups are supported: what remains is the key of the gateway's certificate. */
function explainKeyMismatch(
  found: Failure,
  hello: ClientHello,
  { keys, known }: { readonly keys: readonly ServerKey[]; readonly known: readonly number[] },
): Failure {
  const usable = is13(hello)
    ? keys
    : keys.filter(({ type }) => known.some((suite) => suites12[suite] === type));
  if (usable.length === 0) {
    const kind = keys.some(({ type }) => type === 'ec') ? 'RSA' : 'EC';
    const what = `the client offers only cipher suites for a certificate with an ${kind} key, and ${describeKeys(keys)}`;
    return failure('no_shared_signature', what);
  }
  const accepted = (hello.signatures ?? []).filter(isCode);
  if (!usable.some((key) => accepted.some(fitting(key, is13(hello)))))
    return failure('no_shared_signature', describeUnfit(hello, { accepted, keys }));
  const curves = usable.map(({ curve }) => curve);
  // In TLS 1.2 the groups limit the curve of an ECDSA certificate as well (RFC 8422 §5.1).
  return is13(hello) || curves.some((curve) => curve === null || hello.groups?.includes(curve))
    ? found
    : failure(
        'no_shared_group',
        `the client offers only ${describeOffer('key exchange group', (hello.groups ?? []).filter(isCode))}, without the curve of listen.certificate`,
        curveAdvice,
      );
}

/** `accepted`: without random values. */
function describeUnfit(
  { signatures }: ClientHello,
  { accepted, keys }: { readonly accepted: readonly number[]; readonly keys: readonly ServerKey[] },
): string {
  if (signatures === null)
    return 'the client names no signature algorithm (signature_algorithms), so it accepts SHA-1 only (RFC 5246 §7.4.1.4.1)';
  if (accepted.length === 0) return 'the client names no signature algorithm (signature_algorithms)';
  return `the client accepts only ${describeOffer('signature algorithm', accepted)}, and ${describeKeys(keys)}`;
}

const curveNames: Readonly<Record<number, string>> = { 23: 'P-256', 24: 'P-384', 25: 'P-521' };

/** Such as `listen.certificate has an EC key on P-256`. */
function describeKeys(keys: readonly ServerKey[]): string {
  const kinds = keys.map(({ type, curve }) => {
    if (type === 'other') return 'a key of another kind';
    if (type === 'rsa') return 'an RSA key';
    return curve === null ? 'an EC key' : `an EC key on ${curveNames[curve]}`;
  });
  return `listen.certificate has ${[...new Set(kinds)].join(' and ')}`;
}

function fitting({ type, curve }: ServerKey, is13: boolean): (scheme: number) => boolean {
  switch (type) {
    case 'ec':
      return (scheme) => (is13 && curve !== null ? scheme === ecdsaByCurve[curve] : ecdsa.includes(scheme));
    case 'rsa':
      return (scheme) => rsaPss.includes(scheme) || (!is13 && rsaPkcs1.includes(scheme));
    case 'other':
      return () => true;
    default:
      return type satisfies never;
  }
}

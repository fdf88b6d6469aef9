/**
 * Explains a failed handshake by the first bytes of its client, where OpenSSL's error says less than they do: which protocol
 * it is, which of cipher suite, group and signature algorithm is not shared, and how far the ClientHello came.
 */
import { adviceText } from '../explanation.ts';
import { type ClientHello, firstRecordLength, readClientHello } from './client-hello.ts';
import { type Failure, type FailureReasonName, failure } from './failure-reasons.ts';
import { describeOffer, listed } from './offer-names.ts';
import { explainProtocol, isSslv2Hello } from './other-protocols.ts';

/** What the gateway offers to this client. */
export interface Offer {
  /** Kinds of the keys of the gateway's certificates. */
  readonly keyTypes: readonly KeyType[];
  /** Bytes of the shortest of the gateway's certificate chains. */
  readonly chainBytes: number;
  /** The client's address is listed; others are offered fewer groups. */
  readonly isListed: boolean;
}

export type KeyType = 'rsa' | 'ec' | 'other';

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
const TLS12 = 0x0303;

const versionNames: Readonly<Record<number, string>> = {
  768: 'SSLv3',
  769: 'TLSv1',
  770: 'TLSv1.1',
  771: 'TLSv1.2',
  772: 'TLSv1.3',
};

/** As in the audit field `tls_version`; null: unknown. */
export function versionName({ version }: Pick<ClientHello, 'version'>): string | null {
  return versionNames[version] ?? null;
}

/** The reasons that the first bytes explain better. */
const explained: readonly FailureReasonName[] = [
  ...(['not_tls', 'protocol_version', 'malformed_client_hello', 'no_shared_cipher'] as const),
  ...(['no_shared_group', 'no_shared_signature', 'no_shared_alpn'] as const),
];

export function isExplainedByFirstBytes(reason: string | null): boolean {
  return explained.some((each) => each === reason);
}

/** Without the first bytes. Announces what the next records of a listed address say (observed-addresses.ts). */
export function announceFirstBytes(found: Failure): Failure {
  const { reason, detail } = found;
  if (reason !== 'not_tls' && reason !== 'no_shared_cipher') return found;
  const next =
    'The gateway reads the first bytes of this address for the next ten minutes: the record of a further attempt says more.';
  return { reason, detail: `${detail} ${next}` };
}

/** `found`: the reason by OpenSSL's error. Returns it unless the bytes say more. */
export function explainFirstBytes(found: Failure, bytes: Buffer, offer: Offer): Failure {
  const { reason } = found;
  if (reason === 'not_tls')
    return (
      explainProtocol(bytes) ??
      failure(
        reason,
        'the first bytes from the client are not TLS, and no protocol that the gateway recognizes',
      )
    );
  if (reason === 'closed_before_certificate' || reason === 'timeout_client_hello')
    return explainIncomplete(found, bytes);
  if (!isExplainedByFirstBytes(reason)) return found;
  if (isSslv2Hello(bytes)) return failure('sslv2_hello');
  const hello = readClientHello(bytes);
  if (hello === null) return found;
  if (reason === 'no_shared_alpn' && hello.alpn !== null)
    return failure(
      reason,
      `the client offers by ALPN only ${listed([...new Set(hello.alpn.map(alpnName))])}, neither http/1.1 nor http/1.0`,
    );
  if (reason.startsWith('no_shared_')) return explainMismatch(found, hello, offer);
  return found;
}

/** The other failures of an incomplete ClientHello know its length from its first record. */
function explainIncomplete(found: Failure, bytes: Buffer): Failure {
  const size = firstRecordLength(bytes);
  return bytes.length < size
    ? { ...found, detail: found.detail.replace(/(\d+ bytes)/, `$1 of a first record of ${size}`) }
    : found;
}

/** Not a signal (RFC 5746 §3.3, RFC 7507 §2) and not a value that clients add at random (RFC 8701 §2). */
function isSuite(code: number): boolean {
  return code !== 0x00ff && code !== 0x5600 && (code & 0x0f0f) !== 0x0a0a;
}

const suiteAdvice = adviceText({
  cause: 'old or restricted cipher suites',
  client: 'enable ECDHE suites with AES-GCM or ChaCha20 (RFC 9325 §4.2)',
  gateway: null,
});

const curveAdvice = adviceText({
  cause:
    'groups (curves) are restricted in the client’s configuration; in TLS 1.2 they limit certificates as well',
  client: 'enable the curve of the gateway’s certificate as well (usually P-256)',
  gateway: 'or configure an RSA certificate besides',
});

/** OpenSSL reports every mismatch of TLS 1.2 as one of cipher suites. */
function explainMismatch(found: Failure, hello: ClientHello, { keyTypes, isListed }: Offer): Failure {
  const is13 = hello.version > TLS12;
  const known = hello.suites.filter((suite) => (is13 ? suites13.includes(suite) : suite in suites12));
  if (known.length === 0)
    return failure(
      'no_shared_cipher',
      `the client offers only ${describeOffer('cipher suite', hello.suites.filter(isSuite))}`,
      suiteAdvice,
    );
  // Without the extension OpenSSL assumes that the client has no group.
  if (hello.groups === null)
    return failure('no_shared_group', 'the client names no key exchange group (supported_groups)');
  const offered = [...groups, ...(isListed ? furtherGroups : []), ...(isListed && is13 ? finiteFields : [])];
  if (!hello.groups.some((group) => offered.includes(group)))
    return failure(
      'no_shared_group',
      `the client offers only ${describeOffer('key exchange group', hello.groups)}`,
    );
  return explainKeyMismatch(found, hello, { keyTypes, known });
}

/** The client's suites and groups are supported: what remains is the key of the gateway's certificate. */
function explainKeyMismatch(
  found: Failure,
  hello: ClientHello,
  { keyTypes, known }: { readonly keyTypes: readonly KeyType[]; readonly known: readonly number[] },
): Failure {
  const is13 = hello.version > TLS12;
  const usable = is13 ? keyTypes : keyTypes.filter((type) => known.some((suite) => suites12[suite] === type));
  if (usable.length === 0) {
    const kind = keyTypes.includes('ec') ? 'RSA' : 'ECDSA';
    const what = `the client offers only cipher suites for an ${kind} certificate, and listen.certificate has none`;
    return failure('no_shared_signature', what);
  }
  const { signatures, groups: named } = hello;
  if (signatures !== null && !usable.some((type) => signatures.some(fitting(type, is13)))) {
    const only = describeOffer('signature algorithm', signatures);
    const what = `the client accepts only ${only}, and none fits the key of listen.certificate`;
    return failure('no_shared_signature', what);
  }
  // In TLS 1.2 the groups limit the curve of an ECDSA certificate as well (RFC 8422 §5.1).
  return is13 || named === null || usable.includes('rsa')
    ? found
    : failure(
        'no_shared_group',
        `the client offers only ${describeOffer('key exchange group', named)}, without the curve of listen.certificate`,
        curveAdvice,
      );
}

function fitting(type: KeyType, is13: boolean): (scheme: number) => boolean {
  switch (type) {
    case 'ec':
      return (scheme) => ecdsa.includes(scheme);
    case 'rsa':
      return (scheme) => rsaPss.includes(scheme) || (!is13 && rsaPkcs1.includes(scheme));
    case 'other':
      return () => true;
    default:
      return type satisfies never;
  }
}

const knownAlpn: readonly string[] = [
  'h2',
  'h2c',
  'h3',
  'http/0.9',
  'spdy/1',
  'spdy/2',
  'spdy/3',
  'acme-tls/1',
  'mqtt',
  'dot',
];

/** A name may be any bytes, such as a half of a card number: only known ones are repeated. */
function alpnName(name: string): string {
  return knownAlpn.includes(name) ? name : 'another protocol';
}

/**
 * Explains a failed handshake by the first bytes of its client, where OpenSSL's error says less than they do: which protocol
 * it is, which of cipher suite, group and signature algorithm is not shared, and how far the ClientHello came.
 */
import { firstRecordLength, readClientHello } from './client-hello.ts';
import { type Failure, type FailureReasonName, failure } from './failure-reasons.ts';
import { explainMismatch, type Offer } from './offer-mismatch.ts';
import { listed } from './offer-names.ts';
import { explainProtocol, isSslv2Hello } from './other-protocols.ts';

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
  if (reason === 'protocol_version' && hello.versions !== null)
    return failure(
      reason,
      `the client offers by supported_versions only ${listed([...new Set(hello.versions.map(versionOf))]) || 'values that are no version'}`,
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

const versionNames: Readonly<Record<number, string>> = {
  768: 'SSLv3',
  769: 'TLSv1',
  770: 'TLSv1.1',
};

function versionOf(code: number): string {
  // RFC 8446 §4.2.1.1 of the drafts.
  if (code >>> 8 === 0x7f) return 'a draft of TLS 1.3';
  return versionNames[code] ?? 'values that are no version';
}

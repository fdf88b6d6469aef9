/**
 * The fields of each header set for a client's certificate, each in its own format (docs/identity.md names the sources).
 * Every value is printable ASCII, whatever the certificate contains.
 */
import type { Certificate } from '../pki/certificate.ts';
import type { HeaderSet } from '../policy/snapshot.ts';

export type CertificateSet = Exclude<HeaderSet, 'forwarded'>;

/** Names and values, in the order in which they are sent. */
type Fields = Readonly<Record<string, string>>;

interface CertificateFacts {
  readonly leaf: Certificate;
  /** The CAs between the leaf and the root, the issuing CA first; empty: none, or not to be sent. */
  readonly between: readonly Certificate[];
  /** URIs in the gateway's own certificates. */
  readonly by: readonly string[];
}

export const certificateFields: Readonly<Record<CertificateSet, (facts: CertificateFacts) => Fields>> = {
  // RFC 9440 §2.2 and §2.3: an empty chain is not sent, and the root may be omitted.
  rfc9440: ({ leaf, between }) => ({
    'Client-Cert': byteSequence(leaf),
    ...(between.length > 0 && { 'Client-Cert-Chain': between.map(byteSequence).join(', ') }),
  }),
  nginx: ({ leaf }) => ({
    'X-SSL-Client-Verify': 'SUCCESS',
    'X-SSL-Client-Cert': encodeURIComponent(leaf.x509.toString()),
    'X-SSL-Client-S-DN': asciiName(leaf.subject),
    'X-SSL-Client-I-DN': asciiName(leaf.issuer),
    'X-SSL-Client-Serial': leaf.serial.toUpperCase(),
    'X-SSL-Client-Fingerprint': leaf.x509.fingerprint.replaceAll(':', '').toLowerCase(),
  }),
  'ingress-nginx': ({ leaf }) => ({
    'ssl-client-verify': 'SUCCESS',
    'ssl-client-cert': encodeURIComponent(leaf.x509.toString()),
    'ssl-client-subject-dn': asciiName(leaf.subject),
    'ssl-client-issuer-dn': asciiName(leaf.issuer),
  }),
  aws: ({ leaf }) => ({
    'X-Amzn-Mtls-Clientcert-Serial-Number': leaf.serial.toUpperCase(),
    'X-Amzn-Mtls-Clientcert-Issuer': asciiName(leaf.issuer),
    'X-Amzn-Mtls-Clientcert-Subject': asciiName(leaf.subject),
    'X-Amzn-Mtls-Clientcert-Validity': `NotBefore=${seconds(leaf.notBefore)};NotAfter=${seconds(leaf.notAfter)}`,
    // ALB keeps `+`, `=` and `/` as they are.
    'X-Amzn-Mtls-Clientcert-Leaf': encodeURIComponent(leaf.x509.toString()).replace(
      /%(?:2B|3D|2F)/g,
      decodeURIComponent,
    ),
  }),
  envoy: ({ leaf, by }) => ({
    'X-Forwarded-Client-Cert': [
      ...by.filter(isUri).map((uri) => `By=${quoted(uri)}`),
      `Hash=${leaf.sha256}`,
      `Cert="${encodeURIComponent(leaf.x509.toString())}"`,
      `Subject="${quotable(asciiName(leaf.subject))}"`,
      ...namesOf(leaf, 'URI:')
        .filter(isUri)
        .map((uri) => `URI=${quoted(uri)}`),
      ...namesOf(leaf, 'DNS:')
        .filter(isDnsName)
        .map((name) => `DNS=${name}`),
    ].join(';'),
  }),
};

/** For a client that sent no certificate: nginx's variable then has this value. The other sets have no field for it. */
export const fieldsWithoutCertificate: Readonly<Partial<Record<CertificateSet, Fields>>> = {
  nginx: { 'X-SSL-Client-Verify': 'NONE' },
  'ingress-nginx': { 'ssl-client-verify': 'NONE' },
};

/** The alternative names of one kind, such as `URI:`, without the prefix. */
export function namesOf({ sans }: Certificate, kind: string): string[] {
  return sans.filter((name) => name.startsWith(kind)).map((name) => name.slice(kind.length));
}

/** RFC 8941 §3.3.5. */
function byteSequence({ der }: Certificate): string {
  return `:${der.toString('base64')}:`;
}

/**
 * An RFC 4514 string in which other characters than printable ASCII are hex pairs (§2.4): OpenSSL's RFC 2253 form, which
 * nginx, ALB and Envoy use. A trailing space is a hex pair too: it would be removed from a field value (RFC 9110 §5.5).
 */
function asciiName(name: string): string {
  return name
    .replace(/[^\x20-\x7e]/gu, (character) =>
      Buffer.from(character).toString('hex').toUpperCase().replace(/../g, '\\$&'),
    )
    .replace(/\\ $/, '\\20');
}

/**
 * XFCC requires `\"` for a quotation mark, and does not define backslashes, which are frequent in names. As hex pairs
 * neither can end the value or hide its end, however a parser reads `\"` and `\\`.
 */
function quotable(name: string): string {
  return name.replace(/\\(["\\])/g, (_, character) => (character === '"' ? '\\22' : '\\5C'));
}

/** Quotes a value that contains one of XFCC's separators. */
function quoted(value: string): string {
  return /[,;=]/.test(value) ? `"${value}"` : value;
}

/** RFC 3986 §2. XFCC has no encoding for other characters, so a name that is no URI, or no host name, is not sent. */
function isUri(text: string): boolean {
  return /^[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9._~:/?#[\]@!$&'()*+,;=%-]*$/.test(text);
}

function isDnsName(text: string): boolean {
  return /^[A-Za-z0-9*._-]+$/.test(text);
}

/** ISO 8601 in whole seconds: certificates have no fractions. */
function seconds(time: number): string {
  return new Date(time).toISOString().replace('.000Z', 'Z');
}

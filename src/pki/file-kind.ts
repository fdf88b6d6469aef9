/** Describes what a file holds instead of the expected PEM or DER, for error messages; never repeats its content. */

/** PEM labels (RFC 7468, OpenSSL) that are often mistaken for certificates, and what to do about them. */
const labels: Readonly<Record<string, string>> = {
  PKCS7: 'a PKCS#7 bundle: openssl pkcs7 -print_certs writes its certificates',
  CMS: 'a CMS (PKCS#7) bundle: openssl pkcs7 -print_certs writes its certificates',
  'TRUSTED CERTIFICATE':
    'a certificate with OpenSSL’s own trust settings (TRUSTED CERTIFICATE): openssl x509 writes it without them',
  'X509 CERTIFICATE':
    'a certificate under an old label (X509 CERTIFICATE): openssl x509 writes it as CERTIFICATE',
  'CERTIFICATE REQUEST': 'a certificate request (CSR), which its CA has not signed',
  'NEW CERTIFICATE REQUEST': 'a certificate request (CSR), which its CA has not signed',
  'PUBLIC KEY': 'a public key',
  'RSA PUBLIC KEY': 'a public key',
  'X509 CRL': 'a revocation list (CRL)',
  'DH PARAMETERS': 'Diffie-Hellman parameters',
  'EC PARAMETERS': 'EC parameters, which openssl ecparam writes before a key',
  'OPENSSH PRIVATE KEY': 'an OpenSSH private key',
};

/** What a PEM block with this label is; for an unknown label the label itself. */
export function describeLabel(label: string): string {
  if (label === 'CERTIFICATE') return 'a certificate';
  const known = labels[label];
  if (known !== undefined) return known;
  return label.endsWith('PRIVATE KEY') ? 'a private key' : `labelled ${label}`;
}

/** What bytes without a readable PEM block or DER are; null: unknown. */
export function describeContent(bytes: Uint8Array): string | null {
  const content = beginningOf(bytes);
  const text = content.toString('latin1');
  if (text.trim() === '') return content.length === 0 ? 'an empty file' : 'a file of white space only';
  return describeBinary(content) ?? describeText(text);
}

/** What a file holds: its first PEM block, or what its bytes look like; null: unknown. */
export function describeFile(bytes: Uint8Array): string | null {
  const [, label] = /^-----BEGIN ([A-Z0-9 ]{1,40})-----/m.exec(beginningOf(bytes).toString('latin1')) ?? [];
  return label === undefined ? describeContent(bytes) : describeLabel(label);
}

/** Enough to recognise the content: a file may be as large as a CRL. */
function beginningOf({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, Math.min(length, 64 * 1024));
}

const oidSignedData = Buffer.from('06092a864886f70d010702', 'hex');

function describeBinary(content: Buffer): string | null {
  const hex = content.subarray(0, 4).toString('hex');
  if (hex.startsWith('1f8b')) return 'a gzip archive';
  if (hex === '504b0304') return 'a zip archive';
  if (hex.startsWith('fffe') || hex.startsWith('feff') || /^.\0.\0/s.test(content.toString('latin1', 0, 4)))
    return 'UTF-16 text: save it as ASCII or UTF-8';
  if (content[0] !== 0x30) return null;
  const header = derHeaderLength(content);
  if (content.subarray(header, header + oidSignedData.length).equals(oidSignedData))
    return 'a PKCS#7 bundle in DER: openssl pkcs7 -inform DER -print_certs writes its certificates';
  // PFX (RFC 7292 §4): version 3 comes first.
  if (content.toString('hex', header, header + 3) === '020103')
    return 'a PKCS#12 (.p12, .pfx) file: openssl pkcs12 writes what it holds as PEM';
  return null;
}

/** Length of tag and length octets. */
function derHeaderLength(content: Buffer): number {
  const length = content[1] ?? 0;
  return length < 0x80 ? 2 : 2 + (length & 0x7f);
}

function describeText(text: string): string | null {
  if (/^\s*<(?:!doctype|html|\?xml)/i.test(text)) return 'an HTML or XML page';
  if (/^[ \t]+-----BEGIN /m.test(text)) return 'PEM that is indented: BEGIN and END start their lines';
  if (/-----BEGIN /.test(text)) return 'PEM whose BEGIN line is not at the start of a line';
  if (/^[A-Za-z0-9+/=\s]{64,}$/.test(text)) return 'Base64 without BEGIN and END lines';
  return null;
}

/** Who is on a connection: the permit and address under which its messages are forwarded. */
import type { ClientPermit } from '../identity/authorize.ts';
import type { Certificate } from '../pki/certificate.ts';

export interface Caller {
  readonly connId: string;
  readonly permit: ClientPermit;
  /** The source address, as text. */
  readonly address: string;
}

const clientCerts = new WeakMap<Certificate, string>();

/** Client-Cert with the leaf as a structured field byte sequence (RFC 9440 §2.2), made once a leaf. */
function clientCert(leaf: Certificate): string {
  let field = clientCerts.get(leaf);
  if (field === undefined) {
    field = `Client-Cert: :${leaf.der.toString('base64')}:\r\n`;
    clientCerts.set(leaf, field);
  }
  return field;
}

/**
 * The fields by which the host learns who called, each with its CRLF. What the client sent under these names was
 * removed (message/fields.ts), so they are set, never appended to.
 */
export function identityFields({ permit, address }: Caller): string {
  return `${clientCert(permit.leaf)}X-Forwarded-For: ${address}\r\nX-Forwarded-Proto: https\r\n`;
}

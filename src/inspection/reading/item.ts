/** What a file can hold, read and not judged yet. */
import type { X509Certificate } from 'node:crypto';
import type { Certificate } from '../../pki/certificate.ts';
import type { CertificateKey } from '../../pki/key.ts';
import type { ParsedOcspResponse } from '../../revocation/ocsp/response-parser.ts';
import type { CertificateRequest } from './certificate-request.ts';

interface Place {
  /** Where in the file: `PEM block 2 (line 31)`; null: the whole file. */
  readonly at: string | null;
}

export interface CertificateItem extends Place {
  readonly kind: 'certificate';
  readonly x509: X509Certificate;
  /** null: it does not conform to RFC 5280, though OpenSSL can read it. */
  readonly certificate: Certificate | null;
  /** Members of the JWK that holds it, a name in a key store; null: none. */
  readonly name: string | null;
  /** A part of something else (an OCSP response): it is not judged by itself. */
  readonly isPart: boolean;
}

/** The key itself is never kept. */
export interface KeyItem extends Place {
  readonly kind: 'private_key' | 'public_key';
  /** `an encrypted private key`. */
  readonly what: string;
  /** null: it cannot be known without a passphrase. */
  readonly key: CertificateKey | null;
  /** Base64 SHA-256 of the public key; null as above. */
  readonly spkiPin: string | null;
}

export interface CrlItem extends Place {
  readonly kind: 'crl';
  readonly der: Uint8Array;
}

export interface RequestItem extends Place {
  readonly kind: 'request';
  readonly request: CertificateRequest;
}

export interface OcspItem extends Place {
  readonly kind: 'ocsp_response';
  readonly response: ParsedOcspResponse;
}

/** Something that is no certificate and no fault: EC parameters. */
export interface OtherItem extends Place {
  readonly kind: 'other';
  readonly what: string;
}

export interface UnreadableItem extends Place {
  readonly kind: 'unreadable';
  /** A phrase for `found …`; it never repeats the content. */
  readonly found: string;
  readonly allowed: string;
}

export type Item = CertificateItem | KeyItem | CrlItem | RequestItem | OcspItem | OtherItem | UnreadableItem;

export interface ReadSource {
  /** File name or URL, as given. */
  readonly source: string;
  /** The chain that a server sent. */
  readonly isChain: boolean;
  readonly items: readonly Item[];
}

export const allowedContents =
  'certificates in PEM or DER, PKCS#7, PKCS#12, a CRL, a certificate request, an OCSP response, a JWKS';

export function unreadableItem(found: string, at: string | null = null): UnreadableItem {
  return { kind: 'unreadable', at, found, allowed: allowedContents };
}

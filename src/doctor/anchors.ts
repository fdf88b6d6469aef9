/** The trust anchors that the server's chain is verified with: those of `--ca`, or the roots of Node and of this machine. */
import { getCACertificates } from 'node:tls';
import { type Certificate, parseHead } from '../pki/certificate.ts';
import { isIssuedBy } from '../pki/issued.ts';
import { toPem } from '../pki/pem.ts';

export interface Anchors {
  /** `public`: the roots that browsers and operating systems trust. */
  readonly kind: 'file' | 'public';
  readonly certificates: readonly Certificate[];
  /** For OpenSSL. */
  readonly pem: readonly string[];
}

export function fileAnchors(certificates: readonly Certificate[]): Anchors {
  return { kind: 'file', certificates, pem: certificates.map(({ der }) => toPem(der)) };
}

/** Mozilla's roots as Node contains them, those of the operating system, and those of NODE_EXTRA_CA_CERTS. */
export function publicAnchors(): Anchors {
  const pem = [
    ...new Set((['bundled', 'system', 'extra'] as const).flatMap((store) => getCACertificates(store))),
  ];
  return { kind: 'public', certificates: pem.flatMap(readRoot), pem };
}

/** A root that cannot be parsed is left out: the machine's store is not what is examined. */
function readRoot(pem: string): Certificate[] {
  const base64 = pem.replace(/-----[A-Z ]+-----/g, '');
  try {
    return [parseHead(Buffer.from(base64, 'base64'))];
  } catch {
    return [];
  }
}

/** The anchor that issued the certificate; null: none did. */
export function issuerAmong(anchors: Anchors, certificate: Certificate): Certificate | null {
  return (
    anchors.certificates.find((anchor) => isNamed(anchor, certificate) && isIssuedBy(certificate, anchor)) ??
    null
  );
}

export function isAmong(anchors: Anchors, certificate: Certificate): boolean {
  return anchors.certificates.some(({ sha256 }) => sha256 === certificate.sha256);
}

function isNamed(anchor: Certificate, child: Certificate): boolean {
  try {
    return anchor.canonicalSubject === child.canonicalIssuer;
  } catch {
    return false;
  }
}

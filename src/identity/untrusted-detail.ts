/** Explains to the operator why no path leads from a leaf to a trust anchor. */
import type { Certificate } from '../pki/certificate.ts';
import { withColons } from '../pki/fingerprint.ts';

/** Each anchor with its name and certificates. */
type Anchors = readonly { readonly name: string; readonly certificates: readonly Certificate[] }[];

/** The certificate's names come last: the client chose them, they may be long, and a record's detail is cut at its end. */
export function explainUntrusted(leaf: Certificate, anchors: Anchors): string {
  if (leaf.isSelfIssued)
    return `the leaf is self-signed: the client needs a certificate from a CA in a trust anchor. Subject: ${leaf.subject}`;
  const namesakes = anchors.flatMap(({ name, certificates }) =>
    certificates
      .filter(({ canonicalSubject }) => canonicalSubject === leaf.canonicalIssuer)
      .map((ca) => ({ anchor: name, ca })),
  );
  const [first] = namesakes;
  if (first === undefined)
    return `no trust anchor holds the CA that issued the leaf; anchors: ${anchors.map(({ name }) => name).join(', ')}. Issuer: ${leaf.issuer}`;
  const signer = namesakes.find(({ ca }) => hasSigned(ca, leaf));
  if (signer !== undefined)
    return `anchor ${signer.anchor} holds the CA that signed the leaf, but no valid path leads from it to the anchor’s root: check the key identifiers, key usage and path lengths of the anchor’s CAs. CA: serial ${withColons(signer.ca.serial)}, ${signer.ca.subject}`;
  return `anchor ${first.anchor} holds a CA of the same name with another key, which did not sign the leaf. If the CA has a new key, add its new certificate to the anchor; otherwise another CA uses the same name. CA held: serial ${withColons(first.ca.serial)}, SHA-256 ${withColons(first.ca.sha256)}; issuer: ${leaf.issuer}`;
}

/** Verifies with a trusted key only, so a client cannot choose a costly one. */
function hasSigned(ca: Certificate, leaf: Certificate): boolean {
  try {
    return leaf.x509.verify(ca.x509.publicKey);
  } catch {
    return false;
  }
}

/** Why no path leads from a leaf to a trust anchor, for the operator: a CA of the same name is told from an unknown one. */
import type { Certificate } from '../pki/certificate.ts';
import { withColons } from '../pki/hex.ts';

/** The anchors' certificates, by the anchor's name. */
type Anchors = readonly { readonly name: string; readonly certificates: readonly Certificate[] }[];

/** Names come last: they are the client's, may be long, and a record's detail is cut. */
export function explainUntrusted(leaf: Certificate, anchors: Anchors): string {
  if (leaf.isSelfIssued)
    return `the leaf is self-signed: the client needs a certificate of a CA that a trust anchor holds. Subject: ${leaf.subject}`;
  const namesakes = anchors.flatMap(({ name, certificates }) =>
    certificates
      .filter(({ canonicalSubject }) => canonicalSubject === leaf.canonicalIssuer)
      .map((ca) => ({ anchor: name, ca })),
  );
  const [first] = namesakes;
  if (first === undefined)
    return `no trust anchor holds the CA that issued the leaf. If its clients may call, add that CA and its root to an anchor; anchors: ${anchors.map(({ name }) => name).join(', ')}. Issuer: ${leaf.issuer}`;
  const signer = namesakes.find(({ ca }) => hasSigned(ca, leaf));
  if (signer !== undefined)
    return `anchor ${signer.anchor} holds the CA that signed the leaf, but no path leads over it to the anchor’s root: key identifiers, key usage or path length do not fit. CA: serial ${withColons(signer.ca.serial)}, ${signer.ca.subject}`;
  return `anchor ${first.anchor} holds a CA of the same name with another key, which did not sign the leaf. The CA has a new key, then add its new certificate to the anchor; or another CA uses its name. CA held: serial ${withColons(first.ca.serial)}, SHA-256 ${withColons(first.ca.sha256)}; issuer: ${leaf.issuer}`;
}

/** By a key that is trusted: what a client sends cannot make this slow. */
function hasSigned(ca: Certificate, leaf: Certificate): boolean {
  try {
    return leaf.x509.verify(ca.x509.publicKey);
  } catch {
    return false;
  }
}

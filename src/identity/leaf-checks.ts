/** Checks the leaf itself, after its path. A leaf without extended key usage or SAN passes: Thredd's have neither. */
import type { Certificate } from '../pki/certificate.ts';
import { weakKey, weakSignature } from '../pki/strength.ts';
import { findPurposeFault } from './extended-key-usage.ts';
import { type Denial, deny } from './verdict.ts';

export function findLeafFault(leaf: Certificate): Denial | null {
  const key = weakKey(leaf);
  if (key !== null) return deny('weak_key', `the leaf has ${key}`);
  const signature = weakSignature(leaf);
  if (signature !== null) return deny('weak_signature', `the leaf has ${signature}`);
  const forbidden = findForbiddenContent(leaf);
  if (forbidden !== null) return deny('invalid_leaf', forbidden);
  if (leaf.unprocessedCritical.length > 0)
    return deny(
      'unsupported_extension',
      `the leaf has extensions that the gateway does not process: ${leaf.unprocessedCritical.join(', ')}`,
    );
  const purpose = findPurposeFault(leaf) ?? findUsageFault(leaf);
  return purpose === null ? null : deny('wrong_purpose', `the leaf’s ${purpose}`);
}

const nameConstraints = '2.5.29.30';

/** Contents that RFC 5280 forbids: a CA issues them only by mistake, or if an attacker chose what it signed. */
function findForbiddenContent({ version, keyUsage, ...leaf }: Certificate): string | null {
  if (version !== 3) return `the leaf is of version ${version}, but must be of version 3 (RFC 5280 §4.1.2.1)`;
  if (leaf.nameConstraints !== null || leaf.unprocessedCritical.includes(nameConstraints))
    return 'the leaf has name constraints, which only a CA may have (RFC 5280 §4.2.1.10)';
  if (keyUsage?.has('keyCertSign') === true && !leaf.isCa)
    return 'the leaf’s key usage has keyCertSign, but the leaf is no CA (RFC 5280 §4.2.1.3)';
  return null;
}

function findUsageFault({ keyUsage, netscapeCertType }: Certificate): string | null {
  // The client signs the handshake (RFC 8446 §4.4.2.2).
  if (keyUsage !== null && !keyUsage.has('digitalSignature')) return 'key usage lacks digitalSignature';
  return netscapeCertType?.sslClient === false ? 'Netscape certificate type lacks SSL client' : null;
}

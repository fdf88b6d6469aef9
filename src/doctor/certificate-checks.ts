/** Judges single certificates of the server's chain: name, validity, strength; and whether SNI changes the chain. */
import { isIP } from 'node:net';
import type { Certificate } from '../pki/certificate.ts';
import { expiryDate, noticeDays } from '../pki/expiry-warning.ts';
import { isSelfSigned } from '../pki/issued.ts';
import { weakKey, weakSignature } from '../pki/strength.ts';
import { type Check, check, count, fail, type Judgement, pass, warn } from './check.ts';

export interface CertificateFacts {
  /** As sent, the leaf first; at least one. */
  readonly certificates: readonly Certificate[];
  /** A name or an IP address. */
  readonly expectedName: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const day = 24 * 3_600_000;

export function certificateChecks(facts: CertificateFacts): Check[] {
  const { certificates } = facts;
  return [
    check('chain-name', judgeName(facts)),
    check('chain-validity', judgeValidity(facts)),
    check('chain-key', judgeKeys(certificates)),
    check('chain-signature', judgeSignatures(certificates)),
  ];
}

/** Whether the leaf is valid for the name or address: alternative names only, as RFC 9525 §6.3 demands. */
function matchesName({ x509 }: Certificate, name: string): boolean {
  if (isIP(name) !== 0) return x509.checkIP(name) !== undefined;
  return x509.checkHost(name, { subject: 'never' }) !== undefined;
}

function judgeName({ certificates: [leaf], expectedName }: CertificateFacts): Judgement {
  if (leaf === undefined) throw new RangeError('no certificate');
  const names = leaf.sans.filter((name) => name.startsWith('DNS:') || name.startsWith('IP:'));
  const fact = `the certificate is valid for ${names.length > 0 ? names.join(', ') : 'no name'}`;
  if (matchesName(leaf, expectedName)) return pass(fact);
  return fail(
    `${fact}; not for ${expectedName}`,
    'get a certificate with that name as an alternative name (subjectAltName), or use a URL with a name that it has; --servername NAME if this URL is only another way to the endpoint',
  );
}

function judgeValidity({ certificates, now }: CertificateFacts): Judgement {
  const hint = 'renew the certificate with its CA, and install the new chain';
  const invalid = certificates.filter(({ notBefore, notAfter }) => now < notBefore || now > notAfter);
  if (invalid.length > 0) return fail(invalid.map((each) => describeInvalid(each, now)).join('; '), hint);
  const next = certificates.reduce((one, other) => (other.notAfter < one.notAfter ? other : one));
  const days = Math.floor((next.notAfter - now) / day);
  const fact = `until ${expiryDate(next.notAfter)}, ${count(days, 'day')} left (${next.subject})`;
  return days < noticeDays ? warn(fact, hint) : pass(fact);
}

function describeInvalid({ subject, notBefore, notAfter }: Certificate, now: number): string {
  if (now < notBefore) return `${subject} is not valid before ${expiryDate(notBefore)}`;
  const days = Math.floor((now - notAfter) / day);
  return `${subject} expired on ${expiryDate(notAfter)}, ${count(days, 'day')} ago`;
}

function judgeKeys(certificates: readonly Certificate[]): Judgement {
  const weak = certificates.flatMap((each) => describeWeak(each, weakKey(each)));
  if (weak.length === 0) return pass(certificates.map(describeKey).join(', '));
  return fail(
    weak.join('; '),
    'make a new key, RSA of at least 2048 bits or P-256, and get a certificate for it',
  );
}

/** `RSA-2048`, `P-256`. */
export function describeKey({ key }: Certificate): string {
  if (key.type === 'rsa') return `RSA-${key.bits}`;
  return key.type === 'ec' ? key.curve : key.name;
}

/** The signature of a root protects nothing: the root is trusted for its key. */
function judgeSignatures(certificates: readonly Certificate[]): Judgement {
  const signed = certificates.filter((each) => !isSelfSigned(each));
  const weak = signed.flatMap((each) => describeWeak(each, weakSignature(each)));
  if (weak.length > 0)
    return fail(weak.join('; '), 'have the CA issue the certificate again, signed with SHA-256 or better');
  const hashes = new Set(
    signed.map(({ signatureHash }) => signatureHash.replace('sha', 'SHA-').replace('none', 'Ed25519')),
  );
  return pass(hashes.size === 0 ? 'self-signed' : [...hashes].join(', '));
}

function describeWeak({ subject }: Certificate, weakness: string | null): string[] {
  return weakness === null ? [] : [`${subject} has ${weakness}`];
}

/** Judges the certificates that the server sent: order, what is missing or superfluous, trust, name, validity, strength. */
import { isIP } from 'node:net';
import type { Certificate } from '../pki/certificate.ts';
import { expiryDate, noticeDays } from '../pki/expiry-warning.ts';
import { isSelfSigned } from '../pki/issued.ts';
import { weakKey, weakSignature } from '../pki/strength.ts';
import { describeFailure, isCut } from '../probe/outcome.ts';
import type { Anchors } from './anchors.ts';
import { type Check, check, count, fail, type Judgement, notJudged, pass, unknown, warn } from './check.ts';
import { cutAdvice, cutReason } from './failure.ts';
import { issuerUrlsOf, type SentChain } from './sent-chain.ts';
import type { TlsFacts } from './tls-facts.ts';

export interface ChainFacts {
  readonly chain: SentChain;
  readonly anchors: Anchors;
  /** OpenSSL's code on a connection of its own; null: it verified. undefined: no handshake was completed. */
  readonly verifyError: string | null | undefined;
}

export function chainChecks(facts: ChainFacts): Check[] {
  const { chain } = facts;
  return [
    check('chain-readable', pass(chain.certificates.map(describe).join('; '))),
    check('chain-order', judgeOrder(chain)),
    check('chain-complete', judgeCompleteness(chain)),
    check('chain-root', judgeSuperfluous(chain)),
    check('chain-trust', judgeTrust(facts)),
  ];
}

function describe({ subject }: Certificate, depth: number): string {
  return `${depth} ${subject}`;
}

function judgeOrder({ certificates, path, isOrdered }: SentChain): Judgement {
  if (isOrdered)
    return pass(path.length === 1 ? 'the leaf alone' : 'each certificate is followed by its issuer');
  const wanted = path.map((position) => certificates[position]?.subject ?? '').join('; then ');
  return fail(
    `sent in the order ${certificates.map(({ subject }) => subject).join('; ')}`,
    `put the certificates of the chain file into this order: ${wanted} (RFC 5246 §7.4.2)`,
  );
}

/** What makes the chain incomplete: null if it is complete, or if that cannot be known without its root. */
export function missingIssuer({ top, anchor, root, path }: SentChain): string | null {
  if (root !== null) return null;
  if (anchor !== null) return isSelfSigned(anchor) || anchor === top ? null : anchor.subject;
  // Between a leaf and a root there is an intermediate. Above an intermediate there may be a root that is not known here.
  return path.length === 1 ? top.issuer : null;
}

function judgeCompleteness(chain: SentChain): Judgement {
  const missing = missingIssuer(chain);
  if (missing !== null) {
    return fail(
      `the certificate of ${missing} is missing: it issued ${chain.top.subject}`,
      `add it to the chain file, below the certificate that it issued. ${sourceOf(chain.top)}`,
    );
  }
  const end = chain.anchor ?? chain.top;
  if (chain.anchor !== null || chain.root !== null)
    return pass(`${count(chain.path.length, 'certificate')} up to ${end.subject}`);
  return unknown(
    `the chain ends at ${chain.top.subject}, issued by ${chain.top.issuer}, which is not known here`,
    `if that is the root of a private CA, give its certificate with --ca. If not, it is a missing intermediate. ${sourceOf(chain.top)}`,
  );
}

function sourceOf(certificate: Certificate): string {
  const urls = issuerUrlsOf(certificate);
  return urls.length > 0
    ? `It can be downloaded from ${urls.join(' or ')}`
    : 'The certificate does not say where it can be downloaded (no AIA): get it from the CA';
}

function judgeSuperfluous({ certificates, root, unrelated }: SentChain): Judgement {
  if (unrelated.length > 0) {
    const names = unrelated.map((position) => certificates[position]?.subject ?? '').join('; ');
    return warn(`not on the path of the leaf: ${names}`, 'remove it from the chain file');
  }
  if (root === null) return pass('no root, and nothing that is not on the path');
  if (root === 0) return pass('a self-signed certificate');
  return warn(
    `the root is sent: ${certificates[root]?.subject ?? ''}`,
    'remove it from the chain file: clients use their own copy, and it makes each handshake longer',
  );
}

const dateErrors: readonly string[] = ['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'];

function judgeTrust(facts: ChainFacts): Judgement {
  const { chain, anchors, verifyError } = facts;
  const source = anchors.kind === 'file' ? 'the certificates of --ca' : 'the public roots';
  if (missingIssuer(facts.chain) !== null) return notJudged('an intermediate is missing');
  if (chain.anchor === null) {
    return fail(
      `${chain.top.subject} was issued by ${chain.top.issuer}, which is not among ${source}`,
      anchors.kind === 'file'
        ? 'give the root of this chain with --ca, or install a certificate of the CA that --ca holds'
        : 'if the CA is private, give its root with --ca; clients must then have that root too. If not, install a certificate of a public CA',
    );
  }
  if (verifyError === undefined) return notJudged('OpenSSL completed no handshake');
  if (verifyError === null) return pass(`with ${source}, up to ${chain.anchor.subject}`);
  if (dateErrors.includes(verifyError)) return notJudged('a certificate is not valid today');
  return fail(
    `OpenSSL refuses the chain: ${verifyError}`,
    isSelfSigned(chain.anchor)
      ? 'install a certificate that its CA issued for TLS servers, with the chain that belongs to it'
      : `--ca must contain the root, too: ${chain.anchor.issuer}`,
  );
}

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

/** Whether the chain depends on SNI. `sentWithoutName`: null, because the endpoint has an address instead of a name. */
export function judgeServerName(
  sentWithoutName: TlsFacts['sentWithoutName'],
  withName: readonly Buffer[],
): Judgement {
  if (sentWithoutName === null) return pass('no server name is sent to an IP address');
  const hint =
    'make this chain the default of the port: a sender that is given an IP address sends no server name';
  switch (sentWithoutName.kind) {
    case 'failed':
      if (isCut(sentWithoutName.failure)) return unknown(`not asked: ${cutReason}`, cutAdvice);
      return warn(`without SNI the server ${describeFailure(sentWithoutName.failure)}`, hint);
    case 'not-possible':
      return unknown(`not possible here: ${sentWithoutName.reason}`, 'install openssl on this machine');
    case 'sent': {
      const { certificates } = sentWithoutName;
      const same =
        certificates.length === withName.length &&
        certificates.every((der, depth) => withName[depth]?.equals(der) === true);
      return same ? pass('yes') : warn('without SNI the server sends another chain', hint);
    }
    default:
      return sentWithoutName satisfies never;
  }
}

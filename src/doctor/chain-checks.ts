/** Judges the certificates that the server sent: their order, what is missing or superfluous, and whether they verify. */
import type { Certificate } from '../pki/certificate.ts';
import { isSelfSigned } from '../pki/issued.ts';
import type { Anchors } from './anchors.ts';
import { type Check, check, count, fail, type Judgement, notJudged, pass, unknown, warn } from './check.ts';
import { issuerUrlsOf, type SentChain } from './sent-chain.ts';

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

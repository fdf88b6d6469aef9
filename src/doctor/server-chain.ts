/** Parses the certificates that the server sent, and has them judged; says so if one cannot be parsed. */
import { GatewayError } from '../errors.ts';
import { type Certificate, parseCertificate } from '../pki/certificate.ts';
import type { Anchors } from './anchors.ts';
import { certificateChecks, chainChecks, judgeServerName } from './chain-checks.ts';
import { type Check, check, fail, type Judgement, notJudged, unknown } from './check.ts';
import { readSentChain, type SentChain } from './sent-chain.ts';
import type { TlsFacts } from './tls-facts.ts';

export interface ServerChainFacts extends Pick<TlsFacts, 'sent' | 'sentWithoutName'> {
  readonly anchors: Anchors;
  readonly expectedName: string;
  /** OpenSSL's code; null: it verified; undefined: it completed no handshake. */
  readonly verifyError: string | null | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** null: the certificates cannot be read, as the checks say. */
export interface JudgedChain {
  readonly checks: readonly Check[];
  readonly chain: SentChain | null;
}

export function judgeServerChain(facts: ServerChainFacts): JudgedChain {
  const { sent, anchors, verifyError, expectedName, now } = facts;
  if (sent.kind === 'not-possible') {
    const hint = 'install openssl on this machine, or examine the endpoint from another one';
    return unjudged(unknown(`not possible here: ${sent.reason}`, hint));
  }
  const certificates = parse(sent.certificates);
  if (typeof certificates === 'string')
    return unjudged(
      fail(certificates, 'install a certificate that its CA issued, as PEM, with its intermediates'),
    );
  const chain = readSentChain(certificates, anchors);
  if (chain === null)
    return unjudged(
      fail('the server sends no certificate', 'install one, and turn anonymous cipher suites off'),
    );
  const checks = [
    ...chainChecks({ chain, anchors, verifyError }),
    ...certificateChecks({ certificates, expectedName, now }),
    check('chain-sni', judgeServerName(facts.sentWithoutName, sent.certificates)),
  ];
  return { checks, chain };
}

/** A sentence if one cannot be parsed. */
function parse(ders: readonly Buffer[]): Certificate[] | string {
  const certificates: Certificate[] = [];
  for (const [depth, der] of ders.entries()) {
    try {
      certificates.push(parseCertificate(der));
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      return `the certificate at depth ${depth} cannot be parsed: ${error.message}`;
    }
  }
  return certificates;
}

const dependent = [
  ...['chain-order', 'chain-complete', 'chain-root', 'chain-trust', 'chain-name'],
  ...['chain-validity', 'chain-key', 'chain-signature', 'chain-sni'],
] as const;

function unjudged(first: Judgement): JudgedChain {
  const rest = first.outcome === 'unknown' ? first : notJudged('the chain cannot be read');
  return { checks: [check('chain-readable', first), ...dependent.map((id) => check(id, rest))], chain: null };
}

/** Bits of an RSA key of the same strength (NIST SP 800-57 part 1, table 2); null: not known. */
export function keyStrengthOf({ key }: Certificate): number | null {
  if (key.type === 'rsa') return key.bits;
  return strengths[key.type === 'ec' ? key.curve : key.name] ?? null;
}

const strengths: Readonly<Record<string, number>> = {
  ...{ 'P-256': 3072, 'P-384': 7680, 'P-521': 15360 },
  ...{ secp256k1: 3072, ed25519: 3072, ed448: 7680 },
};

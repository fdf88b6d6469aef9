/**
 * A grade in the manner of SSL Labs' "SSL Server Rating Guide" (version 2009r): three scores, a letter, and rules that cap
 * it. It approximates: SSL Labs also simulates browsers and looks for known attacks. There is no A+, which HSTS earns.
 */
import type { ProtocolFacts } from './protocol-facts.ts';

const letters = ['A', 'A-', 'B', 'C', 'D', 'E', 'F'] as const;
export type Letter = (typeof letters)[number];

export interface GradeFacts {
  readonly protocol: ProtocolFacts;
  readonly isIncomplete: boolean;
  /** With MD5 or SHA-1, below the root. */
  readonly hasWeakSignature: boolean;
  /** Also if it could not be judged. */
  readonly isTrusted: boolean;
  readonly isNameMatched: boolean;
  /** Whether every certificate is valid today. */
  readonly isValidToday: boolean;
}

export interface Cap {
  readonly letter: Letter;
  /** What caps, as a noun phrase. */
  readonly reason: string;
}

export interface Grade {
  /** `T`: not trusted, `M`: the name does not match; null: it cannot be known. */
  readonly letter: Letter | 'T' | 'M' | null;
  /** The grade without T and M. */
  readonly ignoringTrust: Letter | null;
  readonly scores: { readonly protocol: number; readonly keyExchange: number; readonly cipher: number };
  /** The strictest first. */
  readonly caps: readonly Cap[];
}

const versionScores = {
  'SSL 3.0': 80,
  'TLS 1.0': 90,
  'TLS 1.1': 95,
  'TLS 1.2': 100,
  'TLS 1.3': 100,
} as const;

export function gradeOf(facts: GradeFacts): Grade {
  const { protocol } = facts;
  const scores = scoresOf(protocol);
  const caps = capsOf(facts).toSorted((one, other) => rank(other.letter) - rank(one.letter));
  const isKnown = protocol.suites.length > 0 && (protocol.keyStrength !== null || protocol.groups.length > 0);
  if (!isKnown) return { letter: null, ignoringTrust: null, scores, caps };
  const base = letterOf(scores);
  const ignoringTrust = caps.reduce<Letter>(
    (worst, { letter }) => (rank(letter) > rank(worst) ? letter : worst),
    base,
  );
  if (!facts.isNameMatched) return { letter: 'M', ignoringTrust, scores, caps };
  if (!facts.isTrusted || !facts.isValidToday) return { letter: 'T', ignoringTrust, scores, caps };
  return { letter: ignoringTrust, ignoringTrust, scores, caps };
}

function rank(letter: Letter): number {
  return letters.indexOf(letter);
}

/** The mean of the best and the worst of each category. */
function scoresOf({ offered, suites, groups, keyStrength }: ProtocolFacts): Grade['scores'] {
  const versions = Object.entries(versionScores)
    .filter(([name]) => offered[name as keyof typeof offered] === true)
    .map(([, score]) => score);
  const strengths = [
    ...groups.map(({ strength }) => strength),
    ...(keyStrength === null ? [] : [keyStrength]),
  ];
  return {
    protocol: middle(versions),
    // The guide rates the weakest of key and parameters.
    keyExchange: strengths.length === 0 ? 0 : keyScore(Math.min(...strengths)),
    cipher: middle(suites.map(({ bits }) => cipherScore(bits))),
  };
}

function middle(scores: readonly number[]): number {
  return scores.length === 0 ? 0 : (Math.min(...scores) + Math.max(...scores)) / 2;
}

function keyScore(bits: number): number {
  if (bits < 512) return 20;
  if (bits < 1024) return 40;
  if (bits < 2048) return 80;
  return bits < 4096 ? 90 : 100;
}

function cipherScore(bits: number): number {
  if (bits === 0) return 0;
  if (bits < 128) return 20;
  return bits < 256 ? 80 : 100;
}

function letterOf({ protocol, keyExchange, cipher }: Grade['scores']): Letter {
  // "A zero in any category will push the overall score to zero."
  const isZero = protocol === 0 || keyExchange === 0 || cipher === 0;
  const score = isZero ? 0 : 0.3 * protocol + 0.3 * keyExchange + 0.4 * cipher;
  if (score >= 80) return 'A';
  if (score >= 65) return 'B';
  if (score >= 50) return 'C';
  if (score >= 35) return 'D';
  return score >= 20 ? 'E' : 'F';
}

function capsOf({ protocol, isIncomplete, hasWeakSignature }: GradeFacts): Cap[] {
  const { offered, suites, groups, keyStrength, renegotiates, secureRenegotiation } = protocol;
  const insecure = suites.filter((suite) => suite.insecure !== null);
  const isBroken = insecure.some(({ insecure: reason }) => reason !== '3DES' && reason !== 'RC4');
  const group = Math.min(...groups.map(({ strength }) => strength));
  const rules: readonly (readonly [applies: boolean, letter: Letter, reason: string])[] = [
    [isBroken, 'F', 'insecure cipher suites'],
    [renegotiates === true && secureRenegotiation === false, 'F', 'insecure renegotiation'],
    [hasWeakSignature, 'F', 'a certificate signed with MD5 or SHA-1'],
    [keyStrength !== null && keyStrength < 1024, 'F', 'a key below 1024 bits'],
    [group < 1024, 'F', 'a key exchange below 1024 bits'],
    [offered['TLS 1.2'] === false && offered['TLS 1.3'] === false, 'C', 'no TLS 1.2'],
    [insecure.some(({ insecure: reason }) => reason === '3DES' || reason === 'RC4'), 'C', '3DES or RC4'],
    [offered['SSL 3.0'] === true, 'C', 'SSL 3.0'],
    [offered['TLS 1.0'] === true || offered['TLS 1.1'] === true, 'B', 'TLS 1.0 or 1.1'],
    [keyStrength !== null && keyStrength < 2048, 'B', 'a key below 2048 bits'],
    [group >= 1024 && group < 2048, 'B', 'a key exchange below 2048 bits'],
    [isIncomplete, 'B', 'an incomplete chain'],
    [!suites.some(({ aead }) => aead), 'B', 'no suite with AEAD'],
    [!suites.some(({ forwardSecrecy }) => forwardSecrecy), 'B', 'no forward secrecy'],
    [offered['TLS 1.3'] === false, 'A-', 'no TLS 1.3'],
    [renegotiates !== true && secureRenegotiation === false, 'A-', 'no secure renegotiation'],
  ];
  return rules.filter(([applies]) => applies).map(([, letter, reason]) => ({ letter, reason }));
}

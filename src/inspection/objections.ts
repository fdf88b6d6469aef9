/**
 * What the gateway would object to in a certificate, by its own checks and in their words: as a client's, as its own server
 * certificate, or as a CA of a trust anchor. Nothing is judged here that those checks do not judge.
 */
import type { X509Certificate } from 'node:crypto';
import { checkChain } from '../config/files/server-chain.ts';
import { checkClient, type IdentityPolicy } from '../identity/client-checks.ts';
import { type DenyReasonName, denyReasons } from '../identity/deny-reasons.ts';
import { findPurposeFault } from '../identity/extended-key-usage.ts';
import { findLeafFault } from '../identity/leaf-checks.ts';
import { LeafReader } from '../identity/leaf-reader.ts';
import { type PathAnchor, validatePath } from '../identity/path.ts';
import { PathCache } from '../identity/path-cache.ts';
import { findPathFault } from '../identity/path-checks.ts';
import type { Registrations } from '../identity/registration.ts';
import type { Denial } from '../identity/verdict.ts';
import { type Certificate, parseCertificate } from '../pki/certificate.ts';
import type { MatchRule } from '../policy/snapshot.ts';
import { outsideValidity } from '../trust/skipped-certificates.ts';
import { anchorFaults, signsOnlyCrls } from '../trust/trust-anchor.ts';

export type Role = 'client' | 'server' | 'ca';

export interface Objection {
  /** A deny reason; for a CA why it is passed over; for a server certificate `problem`. */
  readonly reason: string;
  readonly detail: string;
  /** null: the detail says it. */
  readonly advice: string | null;
}

export interface Judgement {
  readonly role: Role;
  /** Empty: the gateway has none. */
  readonly objections: readonly Objection[];
  /** Doubts that keep nothing from working. */
  readonly warnings: readonly string[];
  /** What was and was not compared, for people. */
  readonly scope: string;
}

export interface JudgementContext {
  /** null: there is no root to build a path to. */
  readonly anchors: readonly PathAnchor[] | null;
  /** Where they come from: `the files given`, `gateway.yaml`. */
  readonly anchorsFrom: string;
  readonly pins: ReadonlySet<string> | null;
  readonly match: readonly MatchRule[] | null;
  /** null: a client need not be registered. */
  readonly registered: Registrations | null;
  /** Octets; undefined: the default of the configuration. */
  readonly maxLeafBytes?: number | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** `certificate`: null if it does not conform to RFC 5280: then the reader of clients says why. */
export function judgeClient(
  { x509, certificate }: { readonly x509: X509Certificate; readonly certificate: Certificate | null },
  context: JudgementContext,
): Judgement {
  const leaves = new LeafReader(context.maxLeafBytes);
  const reading = leaves.read(x509);
  if (!reading.ok) return clientJudgement([reading.denial], 'the other checks were not made');
  if (certificate === null)
    return clientJudgement([refusalOf(leaves, x509)], 'the other checks were not made');
  const { anchors, anchorsFrom } = context;
  if (anchors === null)
    return clientJudgement(
      faultsAlone(certificate, context.now),
      'no root was given, so that its path, its pin and its revocation were not checked',
    );
  const policy = policyFor(anchors, context);
  const denials = [...checksWithoutRevocation(x509, policy, context.now)];
  const { registered, now } = context;
  const scope =
    registered?.isAlone === true
      ? `registration alone (trust.mode of ${anchorsFrom}); no path and no revocation are checked`
      : scopeOf(certificate, { anchors, anchorsFrom, now });
  return clientJudgement(denials, scope);
}

/** Why a leaf that OpenSSL can read cannot be read completely. */
function refusalOf(leaves: LeafReader, x509: X509Certificate): Denial {
  try {
    parseCertificate(x509.raw);
    throw new TypeError('the certificate conforms to RFC 5280');
  } catch (cause) {
    return leaves.refuse(x509, cause);
  }
}

function policyFor(
  anchors: readonly PathAnchor[],
  { pins, match, registered, maxLeafBytes }: JudgementContext,
): IdentityPolicy {
  return {
    ...{ generation: 0, certificate: 'required', pins, match, registered, revocation: new Map() },
    opensslHasAnchors: false,
    paths: new PathCache(anchors, new LeafReader(maxLeafBytes), { isAlone: registered?.isAlone === true }),
  };
}

function checksWithoutRevocation(leaf: X509Certificate, policy: IdentityPolicy, now: number) {
  return checkClient({ source: { allowed: true }, peer: { leaf, opensslCode: null }, now }, policy);
}

function faultsAlone(leaf: Certificate, now: number): Denial[] {
  if (leaf.isCa) {
    const path = validatePath(leaf, { anchors: [], now });
    return path.allow ? [] : [path];
  }
  const { notBefore, notAfter } = leaf;
  const dates = findPathFault({ certificates: [leaf], notBefore, notAfter }, now);
  return [dates, findLeafFault(leaf)].filter((each) => each !== null);
}

function clientJudgement(denials: readonly Denial[], scope: string): Judgement {
  const objections = denials.map(({ reason, detail }) => ({
    reason,
    detail,
    advice: adviceFor(reason, detail),
  }));
  return { role: 'client', objections, warnings: [], scope };
}

/** null where the detail has it already. */
function adviceFor(reason: DenyReasonName, detail: string): string | null {
  const { advice } = denyReasons[reason];
  return detail.includes(advice) ? null : advice;
}

function scopeOf(
  leaf: Certificate,
  {
    anchors,
    anchorsFrom,
    now,
  }: Pick<JudgementContext, 'anchorsFrom' | 'now'> & { anchors: readonly PathAnchor[] },
): string {
  const path = validatePath(leaf, { anchors, now });
  const found = path.allow
    ? `path: ${path.permit.certificates.map(({ subject }) => subject).join(' ← ')}; anchor ${path.permit.anchor}`
    : 'no valid path';
  return `${found} (anchors of ${anchorsFrom}); its revocation was not checked`;
}

/** `chain`: the leaf, then what follows it. */
export function judgeServer(chain: readonly [Certificate, ...Certificate[]], now: number): Judgement {
  const { problems, dateProblems, warnings } = checkChain(chain, { now, purpose: 'server' });
  const phrase = ({ found, allowed }: { readonly found: string; readonly allowed: string }) =>
    `found ${found}; allowed ${allowed}`;
  return {
    role: 'server',
    objections: [...dateProblems, ...problems].map((each) => ({
      ...{ reason: 'problem', detail: phrase(each), advice: null },
    })),
    warnings: warnings.map(phrase),
    scope: 'as listen.certificate of the gateway',
  };
}

export function judgeCa(ca: Certificate, now: number): Judgement {
  const name = `${ca.subject}: `;
  const unusable = anchorFaults(ca).map((detail) => ({ reason: 'unusable', detail, advice: null }));
  const dates = outsideValidity(ca, now);
  const purpose = signsOnlyCrls(ca) ? null : findPurposeFault(ca);
  return {
    role: 'ca',
    objections: [
      ...unusable,
      ...(dates === null
        ? []
        : [{ reason: dates.reason, detail: dates.detail.replace(name, ''), advice: null }]),
      ...(purpose === null
        ? []
        : [{ reason: 'wrong_purpose', detail: purpose, advice: adviceFor('wrong_purpose', '') }]),
    ],
    warnings: [],
    scope: 'as a CA of a trust anchor',
  };
}

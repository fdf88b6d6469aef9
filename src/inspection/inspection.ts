/** Inspects what was read from several sources together: a CA in one of them may have issued a certificate in another. */
import type { PathAnchor } from '../identity/path.ts';
import type { Certificate } from '../pki/certificate.ts';
import { weakKey } from '../pki/strength.ts';
import { buildAnchor } from '../trust/trust-anchor.ts';
import { certificateFacts, keyItemFacts, requestFacts } from './item-facts.ts';
import {
  type Judgement,
  type JudgementContext,
  judgeCa,
  judgeClient,
  judgeServer,
  type Role,
  roleOf,
} from './objections.ts';
import type { CertificateItem, Item, UnreadableItem } from './reading/item.ts';
import { crlFacts, ocspFacts } from './revocation-facts.ts';

export interface ReadSource {
  /** File name or URL, as given. */
  readonly source: string;
  /** The chain that a server sent. */
  readonly isChain: boolean;
  readonly items: readonly Item[];
}

export interface InspectOptions {
  /** null: each certificate is judged by its contents. */
  readonly role: Role | null;
  /** The configuration that clients are judged by; null: the roots among the sources. */
  readonly policy: Omit<JudgementContext, 'now'> | null;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export type Inspected = ReturnType<typeof inspectItem>;

export interface Inspection {
  readonly items: readonly Inspected[];
  readonly faults: readonly (UnreadableItem & { readonly source: string })[];
}

export function inspect(sources: readonly ReadSource[], options: InspectOptions): Inspection {
  const { now } = options;
  const found = sources.flatMap(({ items }) => items.filter((each) => each.kind === 'certificate'));
  const pool = found.flatMap(({ certificate }) => certificate ?? []);
  const given: JudgementContext = { ...(options.policy ?? anchorsAmong(pool, now)), now };
  const anchored = given.anchors?.flatMap(({ certificates }) => certificates) ?? [];
  const context = { ...options, given, issuers: [...pool, ...anchored] };
  return {
    items: sources.flatMap((source) =>
      source.items.flatMap((item) =>
        item.kind === 'unreadable' ? [] : [inspectItem(item, source, context)],
      ),
    ),
    faults: sources.flatMap(({ source, items }) =>
      items.flatMap((item) => (item.kind === 'unreadable' ? [{ ...item, source }] : [])),
    ),
  };
}

/** Each self-signed CA among the certificates is a root, with every other CA below it if it issued them. */
function anchorsAmong(pool: readonly Certificate[], now: number): Omit<JudgementContext, 'now'> {
  const cas = pool.filter(({ isCa }) => isCa);
  const roots = cas.filter((each) => each.isSelfIssued);
  const anchors = roots.flatMap((root): PathAnchor[] => {
    const others = cas.filter((each) => !roots.includes(each));
    const result = buildAnchor({
      name: root.subject,
      certificates: [root, ...others],
      rootSha256: root.sha256,
      now,
    });
    return result.ok ? [result.anchor] : [];
  });
  return {
    ...{ anchors: anchors.length === 0 ? null : anchors, anchorsFrom: 'the files given' },
    ...{ pins: null, match: null, registered: null },
  };
}

interface Context extends InspectOptions {
  readonly given: JudgementContext;
  readonly issuers: readonly Certificate[];
}

function inspectItem(item: Exclude<Item, UnreadableItem>, from: ReadSource, context: Context) {
  const { now, issuers } = context;
  const { source } = from;
  switch (item.kind) {
    case 'certificate': {
      const judgement = item.isPart ? null : judge(item, from, context);
      return { source, ...certificateFacts(item, now), judgement };
    }
    case 'private_key':
    case 'public_key':
      return { source, ...keyItemFacts(item), judgement: null };
    case 'request':
      return { source, ...requestFacts(item), judgement: judgeRequest(item.request) };
    case 'crl': {
      const { objections, ...facts } = crlFacts(item, { issuers, now });
      return { source, ...facts, judgement: judgementOf(objections, facts.signature.signed_by) };
    }
    case 'ocsp_response': {
      const { objections, ...facts } = ocspFacts(item, { issuers, now });
      return { source, ...facts, judgement: judgementOf(objections, facts.signature?.signed_by ?? null) };
    }
    case 'other':
      return { source, kind: item.kind, at: item.at, what: item.what, judgement: null };
    default:
      return item satisfies never;
  }
}

type ItemJudgement = Omit<Judgement, 'role'> & { readonly role: Role | null };

function judgementOf(objections: Judgement['objections'], signedBy: string | null): ItemJudgement {
  const scope =
    signedBy === null
      ? 'its signature was not verified: no CA that may have signed it was given'
      : `its signature is that of ${signedBy}`;
  return {
    role: null,
    objections,
    warnings: [],
    scope: objections.length > 0 && signedBy === null ? '' : scope,
  };
}

function judgeRequest({ key, isSelfSigned }: Extract<Item, { kind: 'request' }>['request']): ItemJudgement {
  const weak = weakKey({ key });
  const objections = [
    ...(weak === null ? [] : [{ reason: 'weak_key', detail: `the request has ${weak}`, advice: null }]),
    ...(isSelfSigned
      ? []
      : [
          {
            reason: 'weak_signature',
            detail: 'its signature is not that of its key, or is weak',
            advice: null,
          },
        ]),
  ];
  return { role: null, objections, warnings: [], scope: 'its key and its signature' };
}

/** null: it is judged together with the leaf before it. */
function judge(item: CertificateItem, from: ReadSource, { role, given, now }: Context): Judgement | null {
  const { certificate } = item;
  if (certificate === null) return judgeClient(item, given);
  if (role === null && isInServerChain(item, from)) return null;
  const chain = from.isChain ? chainIn(from) : null;
  const chosen = role ?? (chain?.[0] === certificate ? 'server' : roleOf(certificate));
  switch (chosen) {
    case 'client':
      return judgeClient(item, given);
    case 'ca':
      return judgeCa(certificate, now);
    case 'server':
      return judgeServer(chain?.[0] === certificate ? chain : chainAfter(item, from), now);
    default:
      return chosen satisfies never;
  }
}

/** The certificates as a server sent them; null if the first is not readable. */
function chainIn({ items }: ReadSource): [Certificate, ...Certificate[]] | null {
  const [first, ...rest] = items.flatMap((item) => (item.kind === 'certificate' ? [item.certificate] : []));
  if (first === undefined || first === null) return null;
  return [first, ...rest.filter((each) => each !== null)];
}

/** Whether it is a CA after a server certificate, in its file or in what the server sent. */
function isInServerChain(item: CertificateItem, { items, isChain }: ReadSource): boolean {
  const certificates = items.flatMap((each) => (each.kind === 'certificate' ? [each] : []));
  const before = certificates.slice(0, certificates.indexOf(item)).map(({ certificate }) => certificate);
  if (isChain) return before.length > 0;
  const leaf = before.findLast((each) => each?.isCa !== true);
  return item.certificate?.isCa === true && leaf != null && roleOf(leaf) === 'server';
}

/** The certificate, then the CAs that follow it in its file. */
function chainAfter(item: CertificateItem, { items }: ReadSource): [Certificate, ...Certificate[]] {
  const following: Certificate[] = [];
  for (const each of items.slice(items.indexOf(item) + 1)) {
    if (each.kind !== 'certificate' || each.certificate?.isCa !== true) break;
    following.push(each.certificate);
  }
  return [item.certificate as Certificate, ...following];
}

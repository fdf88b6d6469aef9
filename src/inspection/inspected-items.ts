/** Inspects what was read from several sources together: a CA in one of them may have issued a certificate in another. */
import type { Certificate } from '../pki/certificate.ts';
import { weakKey } from '../pki/strength.ts';
import { judgeCertificate } from './certificate-role.ts';
import { anchorsAmong } from './client-policy.ts';
import { certificateFacts, keyItemFacts, requestFacts } from './item-facts.ts';
import type { Judgement, JudgementContext, Role } from './objections.ts';
import type { Item, ReadSource, UnreadableItem } from './reading/item.ts';
import { crlFacts, ocspFacts } from './revocation-facts.ts';

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

interface Context extends InspectOptions {
  readonly given: JudgementContext;
  readonly issuers: readonly Certificate[];
}

function inspectItem(item: Exclude<Item, UnreadableItem>, from: ReadSource, context: Context) {
  const { now, issuers } = context;
  const { source } = from;
  switch (item.kind) {
    case 'certificate': {
      const judgement = item.isPart ? null : judgeCertificate(item, from, context);
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

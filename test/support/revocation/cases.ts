/** Every failure of a revocation source, each for `onUnknown: deny` and `onUnknown: allow`. */
import { type Authority, authority } from '../pki/authority.ts';
import type { Stage } from '../process/stage.ts';
import { openSite } from './site.ts';
import {
  type CrlTrouble,
  crlTroubles,
  type OcspTrouble,
  ocspTroubles,
  openCrlSource,
  openOcspSource,
  type RevocationSource,
} from './sources.ts';

export type RevocationCase = {
  /** The name of the anchor. */
  readonly name: string;
  readonly onUnknown: 'deny' | 'allow';
} & (
  | { readonly kind: 'crl'; readonly trouble: CrlTrouble }
  | { readonly kind: 'ocsp'; readonly trouble: OcspTrouble }
);

const troubles = [
  ...crlTroubles.map((trouble) => ({ kind: 'crl', trouble }) as const),
  ...ocspTroubles.map((trouble) => ({ kind: 'ocsp', trouble }) as const),
];

export const revocationCases: readonly RevocationCase[] = troubles.flatMap((each, index) =>
  (['deny', 'allow'] as const).map((onUnknown) => ({ ...each, onUnknown, name: `${onUnknown}-${index}` })),
);

export interface CaseStage extends AsyncDisposable {
  readonly stage: Stage;
  of(each: RevocationCase): { readonly pki: Authority; readonly source: RevocationSource };
}

/** One gateway with one anchor and revocation source per case; `revocation`: further settings of all anchors. */
export async function openCases(cases: readonly RevocationCase[], revocation: object): Promise<CaseStage> {
  await using opened = new AsyncDisposableStack();
  const parts = new Map<RevocationCase, { pki: Authority; source: RevocationSource }>();
  for (const each of cases) {
    const pki = authority({ name: each.name });
    const source =
      each.kind === 'crl' ? await openCrlSource(pki, each.trouble) : await openOcspSource(pki, each.trouble);
    parts.set(each, { pki, source: opened.use(source) });
  }
  const of = (each: RevocationCase) => parts.get(each) as { pki: Authority; source: RevocationSource };
  const stage = opened.use(
    await openSite(
      cases.map((each) => ({
        ...{ name: each.name, pki: of(each).pki },
        revocation: { scope: 'leaf', onUnknown: each.onUnknown, ...revocation },
      })),
    ),
  );
  const stack = opened.move();
  return { stage, of, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

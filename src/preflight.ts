/** What `run` and `check` both look at before anything starts: the configuration, its certificates, its anchors. */
import type { Finding } from './config/document.ts';
import { type ConfigExamination, examineConfig } from './config/load.ts';
import { namesCaller } from './config/rules.ts';
import type { Config } from './config/schema.ts';
import { type ReadOptions, readConfiguredAnchors, TrustError, type TrustProblem } from './trust/anchor.ts';
import type { Anchor } from './trust/bundle.ts';

/** Reads `file` and the files it names; fetches nothing. */
export function preflight(file: string): Promise<ConfigExamination> {
  return examineConfig(file, Date.now(), async ({ anchors, candidates = [], requirePin }, clients) => {
    const common = { requirePin, now: Date.now() };
    const accept = clients === null ? acceptAll : acceptAnchor(clients);
    return [
      ...(await findingsIn({ ...common, anchors, accept })),
      // Nobody comes in by a candidate, so none is held against the pins that count.
      ...(await findingsIn({ ...common, anchors: candidates, list: 'candidates', accept: acceptAll })),
    ];
  });
}

const acceptAll = () => null;

async function findingsIn(options: ReadOptions): Promise<Finding[]> {
  try {
    await readConfiguredAnchors(options);
    return [];
  } catch (error) {
    if (error instanceof TrustError) return error.problems.map(findingOf);
    throw error;
  }
}

/** `trust.anchors[0].files[1]` as the steps of a path. */
export function findingOf({ path, found, allowed }: TrustProblem): Finding {
  const steps = path.split(/[.[\]]+/).filter((step) => step !== '');
  return { path: steps.map((step) => (/^\d+$/.test(step) ? Number(step) : step)), found, allowed };
}

/**
 * The last word on an anchor: where pins alone name the caller, none of them may be the anchor's own root or issuing
 * CA, for that key is on every path and names nobody. Asked again whenever an anchor is fetched.
 */
export function acceptAnchor(clients: Config['clients']): (anchor: Anchor) => string | null {
  const { byAddress, byMatch } = namesCaller(clients);
  if (byAddress || byMatch || clients.anyCertificateOfAnchor) return () => null;
  const pins = new Set(clients.pins);
  return ({ certificates }) => {
    const pinned = certificates.find(({ spkiPin }) => pins.has(spkiPin));
    return pinned === undefined
      ? null
      : `clients.pins holds the key of ${pinned.subject}, which is on every path and names no caller`;
  };
}

/** What `run` and `check` both look at before anything starts: the configuration, its certificates, its anchors. */
import type { Finding } from './config/document.ts';
import { type ConfigExamination, examineConfig } from './config/load.ts';
import { namesCaller } from './config/rules.ts';
import type { Config } from './config/schema.ts';
import { type ReadOptions, readConfiguredAnchors, TrustError, type TrustProblem } from './trust/anchor.ts';
import type { Anchor } from './trust/bundle.ts';
import { isUsable, passedOverAt } from './trust/passed-over.ts';

/** Reads `file` and the files it names; fetches nothing. */
export function preflight(file: string): Promise<ConfigExamination> {
  return examineConfig(file, Date.now(), async ({ anchors, candidates = [], requirePin }, clients) => {
    const warnings: Finding[] = [];
    const onPassedOver = (warning: TrustProblem) => warnings.push(findingOf(warning));
    const common = { requirePin, onPassedOver, now: Date.now() };
    const accept = clients === null ? acceptAll : acceptAnchor(clients);
    const problems = [
      ...(await problemsIn({ ...common, anchors, accept }, unusableAt(common.now))),
      // Nobody comes in by a candidate, so none is held against the pins that count.
      ...(await problemsIn({ ...common, anchors: candidates, list: 'candidates', accept: acceptAll })),
    ];
    return { problems, warnings };
  });
}

const acceptAll = () => null;

type Configured = Awaited<ReturnType<typeof readConfiguredAnchors>>;

async function problemsIn(
  options: ReadOptions,
  judge: (anchors: Configured) => Finding[] = () => [],
): Promise<Finding[]> {
  try {
    return judge(await readConfiguredAnchors(options));
  } catch (error) {
    if (error instanceof TrustError) return error.problems.map(findingOf);
    throw error;
  }
}

/** What time has made unusable is a problem only where nothing else is left: no anchor from a URL, which may serve it. */
function unusableAt(now: number): (anchors: Configured) => Finding[] {
  return (anchors) => {
    const states = anchors.flatMap((anchor) => ('urls' in anchor ? [] : anchor));
    if (states.length < anchors.length || states.some((state) => isUsable(state, now))) return [];
    const faults = states.flatMap((state) => passedOverAt(state, now)).map(({ detail }) => detail);
    const found = `no anchor that can be used now: ${faults.join('; ')}`;
    return [{ path: ['trust', 'anchors'], found, allowed: 'a root and a CA below it that are valid now' }];
  };
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

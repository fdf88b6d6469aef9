/** What `run` and `check` both look at before anything starts: the configuration, its certificates, its anchors. */
import { examineConfig, type LoadedConfig } from './config/load.ts';
import { namesCaller } from './config/rules.ts';
import type { Config } from './config/schema.ts';
import type { ConfigProblem } from './errors.ts';
import { readConfiguredAnchors, TrustError } from './trust/anchor.ts';
import type { Anchor } from './trust/bundle.ts';

export interface Preflight {
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly ConfigProblem[];
  /** null where there are problems. */
  readonly loaded: LoadedConfig | null;
}

/** Reads `file` and the files it names; fetches nothing. */
export async function preflight(file: string): Promise<Preflight> {
  const { loaded, problems, warnings } = await examineConfig(file);
  if (loaded === null) return { loaded, problems, warnings };
  const { trust } = loaded.config;
  try {
    await readConfiguredAnchors({ ...trust, accept: acceptAnchor(loaded.config), now: Date.now() });
  } catch (error) {
    if (error instanceof TrustError) return { loaded: null, problems: placeTrust(loaded, error), warnings };
    throw error;
  }
  return { loaded, problems, warnings };
}

function placeTrust({ place }: LoadedConfig, error: TrustError): ConfigProblem[] {
  return error.problems.map(({ path, found, allowed }) => {
    const steps = path.split(/[.[\]]+/).filter((step) => step !== '');
    return place({ path: steps.map((step) => (/^\d+$/.test(step) ? Number(step) : step)), found, allowed });
  });
}

/**
 * The last word on an anchor: where pins alone name the caller, none of them may be the anchor's own root or issuing
 * CA, for that key is on every path and names nobody. Asked again whenever an anchor is fetched.
 */
export function acceptAnchor({ clients }: Config): (anchor: Anchor) => string | null {
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

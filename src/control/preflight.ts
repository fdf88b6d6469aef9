/** The checks that `run`, `check` and every reload share: configuration, certificates, trust anchors, environment. */
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import type { Diagnostic, Diagnostics } from '../config/diagnostic.ts';
import { type ConfigExamination, examineConfig } from '../config/load.ts';
import { namesCaller } from '../config/rules/rules.ts';
import type { Config } from '../config/schema/schema.ts';
import type { ConfigProblem } from '../errors.ts';
import { unusableProxies } from '../fetch/egress-proxy.ts';
import { anchorWarnings } from '../trust/anchor-warnings.ts';
import {
  type ReadOptions,
  readConfiguredAnchors,
  TrustError,
  type TrustProblem,
} from '../trust/configured-anchors.ts';
import type { AnchorList } from '../trust/disk-cache.ts';
import { isUsable, skippedAt } from '../trust/skipped-certificates.ts';
import type { Anchor } from '../trust/trust-anchor.ts';

/** Reads `file` and the files that it names; fetches nothing. */
export async function preflight(file: string): Promise<ConfigExamination> {
  const examination = await examineConfig(
    file,
    Date.now(),
    async ({ anchors, candidates = [], requirePin }, clients) => {
      const skipped: Diagnostic[] = [];
      const onSkipped = (warning: TrustProblem) => skipped.push(diagnosticOf(warning));
      const common = { requirePin, onSkipped, now: Date.now() };
      const accept = clients === null ? acceptAll : acceptAnchor(clients);
      const results = [
        await diagnosticsIn({ ...common, anchors, accept }, unusableAt(common.now)),
        // Candidates admit no client, so clients.pins does not apply to them.
        await diagnosticsIn({ ...common, anchors: candidates, list: 'candidates', accept: acceptAll }),
      ];
      const crls = [
        ...(await unreadableCrls('anchors', anchors)),
        ...(await unreadableCrls('candidates', candidates)),
      ];
      return {
        problems: results.flatMap(({ problems }) => problems),
        warnings: [...skipped, ...results.flatMap(({ warnings }) => warnings), ...crls],
      };
    },
  );
  const environment = environmentProblems();
  const warnings = [...examination.warnings, ...environmentWarnings()];
  if (environment.length === 0) return { ...examination, warnings };
  return { ...examination, warnings, problems: [...environment, ...examination.problems], loaded: null };
}

/** The value is not shown: it may contain credentials. */
function environmentWarnings(): ConfigProblem[] {
  return unusableProxies().map((variable) => ({
    ...{ file: 'environment', line: 1, column: 1, path: variable },
    found: 'a value that is not the URL of an HTTP proxy; everything is fetched directly',
    allowed: 'http://host:port or https://host:port',
  }));
}

/** This variable turns off certificate verification in every TLS client of the process, including for trust anchors. */
function environmentProblems(): ConfigProblem[] {
  if (process.env.NODE_TLS_REJECT_UNAUTHORIZED !== '0') return [];
  return [
    {
      file: 'environment',
      line: 1,
      column: 1,
      path: 'NODE_TLS_REJECT_UNAUTHORIZED',
      found: '0, which turns certificate verification off',
      allowed: 'not set',
    },
  ];
}

const acceptAll = () => null;

type Configured = Awaited<ReturnType<typeof readConfiguredAnchors>>;

async function diagnosticsIn(
  options: ReadOptions,
  judge: (anchors: Configured) => Diagnostic[] = () => [],
): Promise<Diagnostics> {
  const { list = 'anchors', now } = options;
  try {
    const anchors = await readConfiguredAnchors(options);
    const warnings = anchors.flatMap((anchor, index) => {
      if (!('certificates' in anchor)) return [];
      return anchorWarnings(anchor, now).map((warning) => ({
        path: ['trust', list, index, 'files'],
        ...warning,
      }));
    });
    return { problems: judge(anchors), warnings };
  } catch (error) {
    if (error instanceof TrustError) return { problems: error.problems.map(diagnosticOf), warnings: [] };
    throw error;
  }
}

/**
 * CRL files that cannot be read. Only warnings: a file that appears later must not prevent the start. Until then the
 * revocation status is unknown.
 */
async function unreadableCrls(list: AnchorList, anchors: Config['trust']['anchors']): Promise<Diagnostic[]> {
  const files = anchors.flatMap(({ revocation: { crl } }, anchor) =>
    (Array.isArray(crl) ? crl : [])
      .map((file, index) => ({ file, path: ['trust', list, anchor, 'revocation', 'crl', index] }))
      .filter(({ file }) => isAbsolute(file)),
  );
  const diagnostics = await Promise.all(
    files.map(async ({ file, path }) => {
      const code = await access(file, constants.R_OK).then(
        () => null,
        (cause: NodeJS.ErrnoException) => cause.code ?? 'unreadable',
      );
      return code === null
        ? []
        : { path, found: `${file} that cannot be read (${code})`, allowed: 'a CRL, DER or PEM' };
    }),
  );
  return diagnostics.flat();
}

/** Expired or not yet valid anchors are a problem only if no other anchor is left and none is fetched from a URL. */
function unusableAt(now: number): (anchors: Configured) => Diagnostic[] {
  return (anchors) => {
    // Under trust.mode: registered there are none.
    if (anchors.length === 0) return [];
    const states = anchors.flatMap((anchor) => ('urls' in anchor ? [] : anchor));
    if (states.length < anchors.length || states.some((state) => isUsable(state, now))) return [];
    const faults = states.flatMap((state) => skippedAt(state, now)).map(({ detail }) => detail);
    const found = `no anchor that is usable now: ${faults.join('; ')}`;
    return [
      {
        path: ['trust', 'anchors'],
        found,
        allowed:
          'at least one anchor whose root is valid now and, if it has CAs below the root, one of them with every CA between',
      },
    ];
  };
}

/** Splits the path of a problem (`trust.anchors[0].files[1]`) into its steps. */
export function diagnosticOf({ path, found, allowed }: TrustProblem): Diagnostic {
  const steps = path.split(/[.[\]]+/).filter((step) => step !== '');
  return { path: steps.map((step) => (/^\d+$/.test(step) ? Number(step) : step)), found, allowed };
}

/**
 * Returns the check for every anchor that is read or fetched: null, or why it is refused. If only `clients.pins`
 * identifies clients, no pin may be the key of the anchor's own root or issuing CA: that key is on every path of the
 * anchor and would admit every client.
 */
export function acceptAnchor(clients: Config['clients']): (anchor: Anchor) => string | null {
  const { byAddress, byMatch, byRegistration } = namesCaller(clients);
  if (byAddress || byMatch || byRegistration || clients.anyCertificateOfAnchor) return () => null;
  const pins = new Set(clients.pins);
  return ({ certificates }) => {
    const pinned = certificates.find(({ spkiPin }) => pins.has(spkiPin));
    return pinned === undefined
      ? null
      : `clients.pins contains the key of ${pinned.subject}, which is on every path and names no caller`;
  };
}

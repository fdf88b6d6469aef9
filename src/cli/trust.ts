/** `ehi-gateway trust`: shows the anchors and pending roots, approves a root, requests a fetch. */

import { acceptAnchor, preflight } from '../control/preflight.ts';
import { describeProblem, exitCodes, UsageError } from '../errors.ts';
import { printableLines, safeJson } from '../foreign-text.ts';
import { normalizeSha256 } from '../pki/fingerprint.ts';
import type { AnchorOptions } from '../trust/configured-anchors.ts';
import { type AnchorStatus, readAnchorStatus } from '../trust/offline-status.ts';
import { writeRequest } from '../trust/request-files.ts';
import { describeDiff, describeList, diffJson, fingerprint, listJson } from './trust-report.ts';

export interface TrustCommandOptions {
  readonly config: string;
  readonly json: boolean;
  readonly anchor?: string;
  readonly sha256?: string;
  readonly address?: string;
}

/**
 * `list` and `diff` print on stdout; the others write one file in the cache, which the gateway reads. Resolves with the
 * exit code: 64 if the command cannot be carried out as given, 70 if the cache cannot be read or written, 78 for a
 * configuration with problems.
 */
export async function trust(
  command: 'list' | 'diff' | 'approve' | 'refresh' | 'forget',
  options: TrustCommandOptions,
): Promise<number> {
  const { loaded, problems } = await preflight(options.config);
  if (loaded === null) {
    for (const problem of problems) process.stderr.write(`${describeProblem(problem)}\n`);
    return exitCodes.configuration;
  }
  const { clients, ...config } = loaded.config;
  const lists: AnchorLists = config.trust;
  const common = { cacheDir: config.trust.cacheDir, accept: acceptAnchor(clients), now: Date.now() };
  try {
    const holdings = [
      ...(await readAnchorStatus({ ...common, anchors: lists.anchors, list: 'anchors' })),
      ...(await readAnchorStatus({ ...common, anchors: lists.candidates ?? [], list: 'candidates' })),
    ];
    const chosen = choose(holdings, options.anchor);
    if (command === 'refresh') await requestRefresh(config.trust.cacheDir, options);
    else if (command === 'forget') await requestForget(chosen[0], config.trust.cacheDir, options);
    else if (command === 'approve')
      await approve(chosen.find(({ pending }) => pending) ?? chosen[0], options);
    else if (command === 'list') print(options.json ? listJson(chosen) : describeList(chosen));
    else print(options.json ? diffJson(chosen) : describeDiff(chosen));
    return exitCodes.drained;
  } catch (error) {
    process.stderr.write(`${printableLines(error instanceof Error ? error.message : String(error))}\n`);
    return error instanceof UsageError ? exitCodes.usage : exitCodes.fault;
  }
}

interface AnchorLists {
  readonly anchors: readonly AnchorOptions[];
  readonly candidates?: readonly AnchorOptions[];
}

/** All anchors, or those with this name. Throws UsageError if there is none. */
function choose(
  holdings: readonly AnchorStatus[],
  name: string | undefined,
): readonly [AnchorStatus, ...AnchorStatus[]] {
  const [first, ...further] = holdings.filter((holding) => name === undefined || holding.name === name);
  if (first !== undefined) return [first, ...further];
  const names = holdings.map((holding) => holding.name).join(', ');
  throw new UsageError(`the configuration has no anchor ${name}; it has ${names}`);
}

/**
 * Writes the approval and nothing else. The gateway validates the pending root again before it uses it. The operator must
 * give the SHA-256, so that the approval applies to the root that was compared.
 */
async function approve(holding: AnchorStatus, { sha256 = '', json }: TrustCommandOptions): Promise<void> {
  const { name, pending, rootSha256, cache } = holding;
  if (!/^[0-9a-f]{2}(?::?[0-9a-f]{2}){31}$/i.test(sha256))
    throw new UsageError('--sha256 needs 64 hex digits, colons allowed');
  if (cache === null) throw new UsageError(`${name} is read from files, which need no approval`);
  if (pending === null) throw new UsageError(`${name}: no root waits for approval`);
  const given = normalizeSha256(sha256);
  if (given !== pending.rootSha256) {
    const waits = `${pending.certificates[0]?.subject}, SHA-256 ${fingerprint(pending.rootSha256)}`;
    throw new UsageError(`${name}: not approved. The root that waits is ${waits}, not ${fingerprint(given)}`);
  }
  if (rootSha256 !== undefined && rootSha256 !== given)
    throw new UsageError(
      `${name}: not approved. rootSha256 in the configuration allows only ${fingerprint(rootSha256)}: change it there`,
    );
  if (pending.problem !== null)
    throw new UsageError(`${name}: not approved. The root that waits cannot be used now: ${pending.problem}`);
  await cache.approve(given);
  print(
    json
      ? safeJson({ anchor: name, root_sha256: given })
      : `${name}: approved. A running gateway uses it within seconds, a stopped one at its next start.`,
  );
}

async function requestRefresh(cacheDir: string, { json }: TrustCommandOptions): Promise<void> {
  await writeRequest(cacheDir, { command: 'refresh' });
  print(json ? safeJson({ refresh: true }) : 'A running gateway fetches everything within seconds.');
}

/** Drops known revocations too: the status of their certificates is unknown until the data is fetched again. */
async function requestForget(
  { name, list }: AnchorStatus,
  cacheDir: string,
  options: TrustCommandOptions,
): Promise<void> {
  const { json } = options;
  const address = options.address ?? null;
  await writeRequest(cacheDir, {
    ...{ command: 'forget', anchor: name, candidate: list === 'candidates', address },
  });
  const what = address === null ? 'every CRL and OCSP answer' : `what came from ${address}`;
  print(
    json
      ? safeJson({ anchor: name, address })
      : `${name}: a running gateway drops ${what} within seconds, a stopped one at its next start, and fetches it again.`,
  );
}

function print(text: string): void {
  process.stdout.write(`${printableLines(text)}\n`);
}

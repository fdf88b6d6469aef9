/** Collects every key, certificate and CRL that a configuration trusts or uses. Reads files and the cache; fetches nothing. */
import { createHash, createPublicKey } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { keyIdOf } from '../../audit/seals/seal.ts';
import { readAuditKey } from '../../config/files/audit-key.ts';
import type { Config } from '../../config/schema/schema.ts';
import { candidateName } from '../../control/build-snapshot.ts';
import type { AnchorList } from '../../trust/disk-cache.ts';
import { anchorHoldings } from './anchor-holdings.ts';
import { crlHoldings } from './crl-holdings.ts';
import { authorityHoldings, chainHoldings } from './file-holdings.ts';
import type { Holding, Use } from './holding.ts';
import { introspectionHoldings } from './introspection-holdings.ts';
import { keySetHoldings } from './key-set-holdings.ts';

/** In the order of the configuration. `now`: milliseconds since the epoch. */
export async function collectHoldings(config: Config, now: number): Promise<Holding[]> {
  const { trust } = config;
  return mergeUses([
    ...(await serverHoldings(config)),
    ...(await trustHoldings(trust.anchors, { list: 'anchors', cacheDir: trust.cacheDir, now })),
    ...(await trustHoldings(trust.candidates ?? [], { list: 'candidates', cacheDir: trust.cacheDir, now })),
    ...clientHoldings(config),
    ...(await keySetHoldings(config)),
    ...messageSecretHoldings(config),
    ...(await hostHoldings(config)),
    ...(await introspectionHoldings(config)),
    ...(await tracingHoldings(config)),
    ...(await auditHoldings(config)),
  ]);
}

async function serverHoldings({ listen }: Config): Promise<Holding[]> {
  const entries = [listen.certificate].flat();
  const found: Holding[] = [];
  for (const [index, { chain, key }] of entries.entries()) {
    const path = entries.length === 1 ? 'listen.certificate' : `listen.certificate[${index}]`;
    const use: Use = { purpose: 'server', path, usedBy: 'listener for clients', source: chain };
    found.push(...(await chainHoldings(use, { keyFile: key, others: 'server_chain' })));
  }
  const { resumption } = listen;
  if (resumption !== null)
    found.push({
      ...{ purpose: 'ticket_secret', path: 'listen.resumption', usedBy: 'listener for clients' },
      source: resumption.secretFile ?? 'random, in memory',
      ...{
        kind: 'set',
        detail: `ticket keys are derived from it and change every ${resumption.rotate / 60_000} minutes`,
      },
    });
  return found;
}

async function trustHoldings(
  anchors: Config['trust']['anchors'],
  place: { readonly list: AnchorList; readonly cacheDir: string; readonly now: number },
): Promise<Holding[]> {
  const { list, cacheDir } = place;
  const found: Holding[] = [];
  for (const [index, anchor] of anchors.entries()) {
    const { holdings, certificates } = await anchorHoldings(anchor, { ...place, index });
    const crls = await crlHoldings(anchor.revocation, {
      ...{ path: `trust.${list}[${index}]`, cacheDir, certificates },
      usedBy: `clients of ${list === 'anchors' ? 'anchor' : 'candidate'} ${anchor.name}`,
      anchor: list === 'anchors' ? anchor.name : candidateName(anchor.name),
    });
    found.push(...holdings, ...crls);
  }
  return found;
}

function clientHoldings({ clients }: Config): Holding[] {
  const use = { usedBy: 'clients', source: 'configuration', kind: 'hash' } as const;
  return [
    ...(clients.pins ?? []).map(
      (sha256): Holding => ({ ...use, purpose: 'client_pin', path: 'clients.pins', sha256 }),
    ),
    ...(clients.match ?? []).flatMap(({ thumbprint }): Holding[] =>
      thumbprint === undefined
        ? []
        : [{ ...use, purpose: 'client_thumbprint', path: 'clients.match', sha256: thumbprint }],
    ),
  ];
}

function messageSecretHoldings({ routes }: Config): Holding[] {
  return routes.flatMap(({ path, signature }, index): Holding[] => {
    if (signature?.hmac === undefined) return [];
    return [
      {
        ...{
          purpose: 'message_secret',
          path: `routes[${index}].signature.hmac`,
          usedBy: `messages to ${path}`,
        },
        ...{
          source: signature.hmac.secretFile,
          kind: 'set',
          detail: 'HMAC-SHA256 of bodies is made with it',
        },
      },
    ];
  });
}

async function hostHoldings({ routes }: Config): Promise<Holding[]> {
  const found: Holding[] = [];
  for (const [route, { upstream }] of routes.entries()) {
    for (const [index, { url, tls }] of upstream.entries()) {
      if (!url.secure) continue;
      const path =
        upstream.length === 1 ? `routes[${route}].upstream` : `routes[${route}].upstream[${index}]`;
      found.push(...(await endpointHoldings(tls, { path: `${path}.tls`, usedBy: `host ${url.url}` })));
    }
  }
  return found;
}

async function endpointHoldings(
  tls: Config['routes'][number]['upstream'][number]['tls'] = {},
  use: Pick<Use, 'path' | 'usedBy'>,
): Promise<Holding[]> {
  const { ca, certificate, pins = [] } = tls;
  const authorities: Holding[] =
    ca === undefined
      ? [
          {
            ...use,
            purpose: 'system_cas',
            source: 'operating system',
            kind: 'set',
            detail: 'the host is verified with them',
          },
        ]
      : await authorityHoldings({ ...use, purpose: 'upstream_ca', path: `${use.path}.ca`, source: ca });
  const own =
    certificate === undefined
      ? []
      : await chainHoldings(
          { ...use, purpose: 'upstream_client', path: `${use.path}.certificate`, source: certificate.chain },
          { keyFile: certificate.key, others: 'upstream_chain' },
        );
  const pinned = pins.map(
    (sha256): Holding => ({
      ...use,
      purpose: 'upstream_pin',
      path: `${use.path}.pins`,
      source: 'configuration',
      kind: 'hash',
      sha256,
    }),
  );
  return [...authorities, ...own, ...pinned];
}

async function tracingHoldings({ tracing }: Config): Promise<Holding[]> {
  if (tracing === null || !tracing.endpoint.startsWith('https:')) return [];
  const use = { path: 'tracing.tls.ca', usedBy: `collector ${new URL(tracing.endpoint).origin}` };
  return tracing.tls === undefined
    ? [
        {
          ...use,
          purpose: 'system_cas',
          source: 'operating system',
          kind: 'set',
          detail: 'the collector is verified with them',
        },
      ]
    : authorityHoldings({ ...use, purpose: 'tracing_ca', source: tracing.tls.ca });
}

/** The key itself is not shown. */
async function auditHoldings({ audit }: Config): Promise<Holding[]> {
  const source = audit.seal?.key;
  if (source === undefined) return [];
  const use = { purpose: 'audit_key', path: 'audit.seal.key', usedBy: 'seals of the audit', source } as const;
  const { key, problems } = await readAuditKey(audit);
  if (key === null) return [{ ...use, kind: 'fault', detail: problems.map(({ found }) => found).join(', ') }];
  const publicKey = createPublicKey(key);
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const { mode } = await stat(source);
  const rights = (mode & 0o7777).toString(8).padStart(4, '0');
  const own = {
    kind: 'key',
    key: { type: 'other', name: 'ed25519' },
    spkiPin: createHash('sha256').update(spki).digest('base64'),
    state: `used; key id ${keyIdOf(publicKey)}, mode ${rights}`,
  } as const;
  return [{ ...use, ...own }];
}

/** A file that several hosts use is one holding with all of its uses. */
function mergeUses(holdings: readonly Holding[]): Holding[] {
  const merged = new Map<string, Holding>();
  for (const holding of holdings) {
    const { purpose, source } = holding;
    const key = JSON.stringify([purpose, source, identityOf(holding)]);
    const known = merged.get(key);
    merged.set(
      key,
      known === undefined
        ? holding
        : {
            ...known,
            usedBy: joined(known.usedBy, holding.usedBy),
            path: joined(known.path, holding.path),
          },
    );
  }
  return [...merged.values()];
}

function identityOf(holding: Holding): string {
  switch (holding.kind) {
    case 'certificate':
      return holding.certificate.sha256;
    case 'crl':
    case 'hash':
      return holding.sha256;
    case 'key':
      return holding.spkiPin;
    case 'set':
    case 'fault':
      return holding.detail;
    default:
      return holding satisfies never;
  }
}

function joined(known: string, added: string): string {
  return known.split(', ').includes(added) ? known : `${known}, ${added}`;
}

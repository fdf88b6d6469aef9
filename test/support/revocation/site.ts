/** One gateway with several anchors, each with its own CA, revocation policy and clients: many cases in one process. */
import { eventually } from '../eventually.ts';
import { statusOf } from '../http/http.ts';
import type { Authority, Leaf } from '../pki/authority.ts';
import type { Client, ClientOptions } from '../process/client.ts';
import { post } from '../process/client.ts';
import type { AuditRecord, Gateway } from '../process/gateway.ts';
import type { Samples } from '../process/metrics.ts';
import { handshakeOf } from '../process/records.ts';
import { openStage, type Stage, type StageOptions } from '../process/stage.ts';

export interface SiteAnchor {
  readonly name: string;
  readonly pki: Authority;
  /** `trust.anchors[].revocation`. */
  readonly revocation?: object;
  /** Further settings of the anchor. */
  readonly settings?: object;
}

/** The configuration sections for these anchors; any certificate of theirs is accepted. */
export function siteConfig(anchors: readonly SiteAnchor[]) {
  return {
    trust: {
      anchors: anchors.map(({ name, revocation = {}, settings = {} }) => ({
        ...{ name, files: [`${name}.pem`], revocation },
        ...settings,
      })),
      cacheDir: 'trust',
    },
    clients: { anyCertificateOfAnchor: true },
  };
}

export function openSite(anchors: readonly SiteAnchor[], options: StageOptions = {}): Promise<Stage> {
  const { config, files, ...more } = options;
  const own = Object.fromEntries(anchors.map(({ name, pki }) => [`${name}.pem`, pki.anchorPem]));
  return openStage({ ...more, config: { ...siteConfig(anchors), ...config }, files: { ...own, ...files } });
}

export interface Visit {
  readonly status: number;
  readonly record: AuditRecord;
}

/** Opens a connection with a full handshake and sends one message; returns the status and the handshake record. */
export async function visit(stage: Stage, leaf: Leaf, options: Partial<ClientOptions> = {}): Promise<Visit> {
  const { length } = stage.gateway.records();
  await using client = await stage.connect({ leaf, ...options });
  return await exchangeOn(stage, client, length);
}

/** The same; the connection stays open. */
export async function enter(stage: Stage, leaf: Leaf): Promise<Visit & { readonly client: Client }> {
  const { length } = stage.gateway.records();
  const client = await stage.connect({ leaf });
  return { client, ...(await exchangeOn(stage, client, length)) };
}

/** Repeats `enter` until the handshake record has this revocation result. */
export async function enterWhen(stage: Stage, leaf: Leaf, revocation: string): ReturnType<typeof enter> {
  return await eventually(
    async () => {
      const entered = await enter(stage, leaf);
      if (entered.record.revocation === revocation) return entered;
      await entered.client[Symbol.asyncDispose]();
      return entered;
    },
    ({ record }) => record.revocation === revocation,
  );
}

/** The same; the connection is closed. */
export async function visitWhen(stage: Stage, leaf: Leaf, revocation: string): Promise<Visit> {
  const { client, ...visited } = await enterWhen(stage, leaf, revocation);
  await client[Symbol.asyncDispose]();
  return visited;
}

/** `before`: the number of records before the connection: ports are reused. */
async function exchangeOn(stage: Stage, client: Client, before: number): Promise<Visit> {
  const requests = stage.host.requests.length;
  const answer = await client.exchange(post());
  const { localPort } = client.socket;
  // Responses of the host have no connection id of the gateway: the record is found by the client's port.
  const record =
    answer.field('x-request-id') === undefined || stage.host.requests.length > requests
      ? await stage.gateway.next(
          ({ type, source_port }) => type === 'handshake' && source_port === localPort,
          before,
        )
      : await handshakeOf(stage.gateway, answer);
  return { status: statusOf(answer), record };
}

/** The first record about revocation data that has all of these fields. */
export function revocationRecord(
  gateway: Gateway,
  fields: Readonly<Record<string, unknown>>,
): Promise<AuditRecord> {
  return gateway.audit(
    (record) =>
      record.type === 'revocation' && Object.entries(fields).every(([name, value]) => record[name] === value),
  );
}

/** The values of the samples with this name and all of these labels. */
export function valuesOf(samples: Samples, name: string, labels: Readonly<Record<string, string>>): number[] {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return [...samples]
    .filter(([key]) => key.startsWith(`${name}{`) && wanted.every((label) => key.includes(label)))
    .map(([, value]) => value);
}

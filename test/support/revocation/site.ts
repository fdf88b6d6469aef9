/** One gateway with several anchors, each with a CA, a revocation policy and clients of its own: many cases, one process. */
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

/** The sections of a configuration for these anchors; any of their certificates will do. */
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

/** One connection with a full handshake, one message: what came back, and the handshake's record. */
export async function visit(stage: Stage, leaf: Leaf, options: Partial<ClientOptions> = {}): Promise<Visit> {
  const { length } = stage.gateway.records();
  await using client = await stage.connect({ leaf, ...options });
  return await exchangeOn(stage, client, length);
}

/** The same on a connection that stays open. */
export async function enter(stage: Stage, leaf: Leaf): Promise<Visit & { readonly client: Client }> {
  const { length } = stage.gateway.records();
  const client = await stage.connect({ leaf });
  return { client, ...(await exchangeOn(stage, client, length)) };
}

/** Comes again and again until the record's word on revocation is this one, and then stays. */
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

/** The same, and goes. */
export async function visitWhen(stage: Stage, leaf: Leaf, revocation: string): Promise<Visit> {
  const { client, ...visited } = await enterWhen(stage, leaf, revocation);
  await client[Symbol.asyncDispose]();
  return visited;
}

/** `before`: how many records there were before it connected, for ports are used again. */
async function exchangeOn(stage: Stage, client: Client, before: number): Promise<Visit> {
  const requests = stage.host.requests.length;
  const answer = await client.exchange(post());
  const { localPort } = client.socket;
  // Answers of the host carry no id of ours: the connection is found by the client's port.
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
export function told(gateway: Gateway, fields: Readonly<Record<string, unknown>>): Promise<AuditRecord> {
  return gateway.audit(
    (record) =>
      record.type === 'revocation' && Object.entries(fields).every(([name, value]) => record[name] === value),
  );
}

/** The samples of this name that have all of these labels. */
export function valuesOf(samples: Samples, name: string, labels: Readonly<Record<string, string>>): number[] {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return [...samples]
    .filter(([key]) => key.startsWith(`${name}{`) && wanted.every((label) => key.includes(label)))
    .map(([, value]) => value);
}

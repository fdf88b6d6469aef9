/** `clients.registered` and `trust.mode: registered` in the real process, over real TLS. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/folder.ts';
import { statusOf } from '../support/http/http.ts';
import { type SelfSigned, selfSigned, setFor } from '../support/identity/self-signed.ts';
import { authority, type Leaf } from '../support/pki/authority.ts';
import { post } from '../support/process/client.ts';
import { runCommand } from '../support/process/command.ts';
import { metricsWhen } from '../support/process/metrics.ts';
import { handshakeFrom } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';
import { type Directory, misbehaviours, openDirectory } from '../support/trust/directory.ts';

const second = '1s';

async function visit(stage: Stage, leaf: Leaf | SelfSigned) {
  await using client = await stage.connect({ leaf });
  const status = statusOf(await client.exchange(post()));
  const { verdict, reason, detail, anchor, revocation, shadow } = await handshakeFrom(
    stage.gateway,
    client.socket,
  );
  return { status, verdict, reason, detail, anchor, revocation, shadow };
}

/** Visits until the reason is this one; null: allowed. A visit during the change of the policy may end without a response. */
const visitUntil = (stage: Stage, leaf: Leaf | SelfSigned, reason: string | null) =>
  eventually(
    () => visit(stage, leaf).catch((error: unknown) => ({ error: String(error), reason: undefined })),
    (seen) => seen.reason === reason,
  );

describe('trust.mode: registered', () => {
  const [mosaic, stranger] = [selfSigned('mosaic'), selfSigned('mosaic')];
  // As `openssl req -x509` makes them.
  const openssl = selfSigned('openssl', { basicConstraints: { ca: true } });
  let directory: Directory;
  let stage: Stage;
  /** The set of the directory, with both clients. */
  let set: string;

  beforeAll(async () => {
    directory = await openDirectory({ '/inactive': setFor() });
    set = await jwksOf(mosaic, openssl);
    directory.files.set('/clients', set);
    const source = (path: string) => ({ uri: `${directory.origin}${path}`, ca: 'directory.pem' });
    stage = await openStage({
      files: { 'directory.pem': directory.pki.root.pem },
      config: {
        trust: { mode: 'registered', cacheDir: 'trust' },
        clients: { registered: { jwks: source('/clients'), inactive: source('/inactive'), refresh: second } },
      },
    });
  });
  afterAll(async () => {
    await stage?.[Symbol.asyncDispose]();
    await directory?.[Symbol.asyncDispose]();
  });

  it('admits a self-signed client that was registered by what `certs jwks` wrote, and no other', async () => {
    const allowed = { status: 200, verdict: 'allow', anchor: 'registered', revocation: 'not_checked' };
    expect(await visit(stage, mosaic)).toMatchObject(allowed);
    expect(await visit(stage, openssl)).toMatchObject(allowed);
    expect(await visit(stage, stranger)).toMatchObject({
      status: 403,
      reason: 'not_registered',
      detail: expect.stringContaining(parseCertificate(stranger.der).thumbprint),
    });
    expect(await visit(stage, stage.leaf)).toMatchObject({ status: 403, reason: 'not_registered' });
    expect((await stage.gateway.admin('/readyz')).status).toBe(200);
  });

  it('resumes the session of a registered client', async () => {
    await using first = await stage.connect({ leaf: mosaic });
    await first.exchange(post());
    const session = await first.session();
    await using again = await stage.connect({ leaf: mosaic, session });
    expect(statusOf(await again.exchange(post()))).toBe(200);
    expect(await handshakeFrom(stage.gateway, again.socket)).toMatchObject({
      resumed: true,
      anchor: 'registered',
    });
  });

  it('gives the host the certificate of the client', async () => {
    const before = stage.host.requests.length;
    await visit(stage, mosaic);
    const certificate = stage.host.requests[before]?.field('client-cert');
    expect(certificate).toBe(`:${mosaic.der.toString('base64')}:`);
  });

  it('ends the open connection of a client that is deregistered, and records who was removed', async () => {
    await using client = await stage.connect({ leaf: openssl });
    expect(statusOf(await client.exchange(post()))).toBe(200);
    const source = `${directory.origin}/clients`;
    const changed = stage.gateway.next(
      (record) => record.type === 'keys' && record.event === 'changed' && record.source === source,
    );
    const withdrawn = stage.gateway.next(({ type }) => type === 'verdict');
    directory.files.set('/clients', setFor(mosaic));
    expect(await changed).toMatchObject({
      source,
      added: [],
      removed: [
        {
          certificate: parseCertificate(openssl.der).thumbprint,
          thumbprint: expect.any(String),
          kid: expect.any(String),
        },
      ],
    });
    await client.rest();
    expect(await withdrawn).toMatchObject({ reason: 'not_registered', anchor: 'registered' });
    expect(await visit(stage, openssl)).toMatchObject({ status: 403, reason: 'not_registered' });
    expect(await visit(stage, mosaic)).toMatchObject({ status: 200 });
    directory.files.set('/clients', set);
    expect(await visitUntil(stage, openssl, null)).toMatchObject({ status: 200 });
  });

  it('ends the open connection of a client whose certificate becomes inactive', async () => {
    await using client = await stage.connect({ leaf: mosaic });
    expect(statusOf(await client.exchange(post()))).toBe(200);
    directory.files.set('/inactive', setFor(mosaic));
    await client.rest();
    expect(await visit(stage, mosaic)).toMatchObject({ status: 403, reason: 'registration_inactive' });
    directory.files.set('/inactive', setFor());
    expect(await visitUntil(stage, mosaic, null)).toMatchObject({ status: 200 });
  });

  it('keeps its clients while the source fails or serves a private key, and counts and reports it', async () => {
    const source = `${directory.origin}/clients`;
    directory.misbehaviour = misbehaviours.fail;
    await stage.gateway.next(({ type, event }) => type === 'keys' && event === 'fetch_failed');
    const secret = mosaic.privateKey.export({ format: 'jwk' });
    directory.misbehaviour = (_request, response) =>
      response.end(JSON.stringify({ keys: [{ ...secret, kid: 'mine' }] }));
    const refused = await stage.gateway.next(({ type, event }) => type === 'keys' && event === 'refused');
    expect(refused.detail).toContain('a private or symmetric key, keys[0] (kid mine)');
    expect(await visit(stage, mosaic)).toMatchObject({ status: 200 });
    const counted = `ehi_key_set_fetch_failures_total{source="${source}"}`;
    const samples = await metricsWhen(stage.gateway, (all) => (all.get(counted) ?? 0) >= 2);
    expect(samples.get(`ehi_key_set_age_seconds{source="${source}"}`)).toBeGreaterThan(0);
    expect(stage.gateway.stdout + stage.gateway.stderr).not.toContain(secret.d);
    directory.misbehaviour = null;
  });

  /** The set that the real command writes. */
  async function jwksOf(...clients: SelfSigned[]): Promise<string> {
    await using folder = await temporaryFolder();
    const files = clients.map((_client, index) => `${index}.pem`);
    for (const [index, file] of files.entries())
      await writeFile(join(folder.path, file), clients[index]?.pem ?? '');
    const { code, stdout, stderr } = await runCommand(['certs', 'jwks', ...files], { cwd: folder.path });
    if (code !== 0) throw new Error(stderr);
    return stdout;
  }
});

describe('clients.registered beside trust anchors', () => {
  const pki = authority();
  const [member, other] = [pki.issueClient(), pki.issueClient()];
  const renewed = pki.issueClient({ key: member.privateKey });

  it('is a further condition; its file is read again when it changes, and a bad one changes nothing', async () => {
    const clients = (changes: object) => ({ registered: { jwks: { file: 'clients.jwks' }, ...changes } });
    await using stage = await openStage({
      authority: pki,
      files: { 'clients.jwks': setFor(member) },
      config: { clients: clients({}) },
    });
    expect(await visit(stage, member)).toMatchObject({ status: 200, anchor: 'example' });
    expect(await visit(stage, other)).toMatchObject({ status: 403, reason: 'not_registered' });
    const stranger = selfSigned('stranger');
    await stage.gateway.write('clients.jwks', setFor(member, stranger));
    await stage.reload();
    expect(await visit(stage, stranger)).toMatchObject({ status: 403, reason: 'untrusted' });

    // Compared by key, the renewed certificate passes.
    expect(await visit(stage, renewed)).toMatchObject({ status: 403, reason: 'not_registered' });
    await stage.reload({ clients: clients({ compare: 'key' }) });
    expect(await visitUntil(stage, renewed, null)).toMatchObject({ status: 200 });

    await stage.gateway.write('clients.jwks', '<html>');
    expect(await stage.reload({ clients: clients({}) })).toMatchObject({ event: 'refused', problems: 1 });
    expect(await visit(stage, renewed)).toMatchObject({ status: 200 });
    expect(await visit(stage, member)).toMatchObject({ status: 200 });

    await using client = await stage.connect({ leaf: member });
    expect(statusOf(await client.exchange(post()))).toBe(200);
    await stage.gateway.write('clients.jwks', setFor(other));
    await client.rest();
    expect(await visit(stage, other)).toMatchObject({ status: 200 });

    await stage.reload({ clients: { ...clients({ mode: 'shadow' }), anyCertificateOfAnchor: true } });
    expect(await visitUntil(stage, member, null)).toMatchObject({
      status: 200,
      shadow: { verdict: 'deny', reasons: ['not_registered'], anchor: 'example' },
    });
    expect(await visit(stage, other)).toMatchObject({
      status: 200,
      shadow: { verdict: 'allow', reasons: [] },
    });

    // Registration takes the place of the anchors at run time, and gives it back.
    await stage.gateway.write('clients.jwks', setFor(stranger));
    await stage.reload({ trust: { mode: 'registered', cacheDir: 'trust' }, clients: clients({}) });
    expect(await visitUntil(stage, stranger, null)).toMatchObject({ status: 200, anchor: 'registered' });
    expect(await visit(stage, other)).toMatchObject({ status: 403, reason: 'not_registered' });
    await stage.reload({ clients: { anyCertificateOfAnchor: true } });
    expect(await visitUntil(stage, other, null)).toMatchObject({ status: 200, anchor: 'example' });
    expect(await visit(stage, stranger)).toMatchObject({ status: 403, reason: 'untrusted' });
  });

  it('starts without its set, denies with a precise reason, and is ready once the set was read', async () => {
    await using directory = await openDirectory();
    directory.misbehaviour = misbehaviours.fail;
    const uri = `${directory.origin}/clients`;
    await using stage = await openStage({
      authority: pki,
      files: { 'directory.pem': directory.pki.root.pem },
      config: { clients: { registered: { jwks: { uri, ca: 'directory.pem' }, refresh: second } } },
    });
    expect(await visit(stage, member)).toMatchObject({
      status: 403,
      reason: 'registration_unknown',
      detail: expect.stringContaining(`never read from ${uri}`),
    });
    const { status, body } = await stage.gateway.admin('/readyz');
    expect([status, body]).toEqual([
      503,
      expect.stringContaining(`the keys of clients.registered were never read from ${uri}`),
    ]);
    directory.files.set('/clients', setFor(member));
    directory.misbehaviour = null;
    expect(await visitUntil(stage, member, null)).toMatchObject({ status: 200 });
    await eventually(async () => (await stage.gateway.admin('/readyz')).status === 200);
  });
});

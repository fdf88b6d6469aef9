import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStage, type Stage } from '../support/process/stage.ts';
import { chart, one, render } from './support/chart.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ehi-chart-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs the script of the test pod with the pod's environment, against a gateway on this machine. */
async function call(stage: Stage, values: object, leaf?: Stage['leaf']) {
  const [container] = one(render('default', values), 'Pod').spec.containers;
  const variables: { name: string; value: string }[] = container.env;
  const env = Object.fromEntries(variables.map(({ name, value }) => [name, value]));
  const client = await mkdtemp(join(folder, 'client-'));
  if (leaf) {
    await writeFile(join(client, 'tls.crt'), leaf.chainPem);
    await writeFile(join(client, 'tls.key'), leaf.keyPem);
  }
  const own = { GATEWAY_HOST: '127.0.0.1', GATEWAY_PORT: String(stage.gateway.port), CLIENT_FOLDER: client };
  const child = spawn(process.execPath, [`${chart}files/call.mjs`], { env: { ...env, ...own } });
  const [output, errors, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  expect(errors).toBe('');
  return { code: code as number, output };
}

const withoutAllowlist = { config: { clients: { match: { commonName: 'a' } } } };

describe('the pod of helm test', () => {
  it('sees both CA names, 400 without a certificate, and 200 with one', async () => {
    await using stage = await openStage();
    const { code, output } = await call(stage, { test: { body: '{"a":1}' } }, stage.leaf);
    expect(output.trim().split('\n')).toEqual([
      expect.stringMatching(/^ok {4}\s+acceptable CA names:/),
      expect.stringMatching(/^\s+GB, Example Limited, Example Directory, .*Root CA/),
      expect.stringMatching(/^\s+GB, Example Limited, Example Directory, .*Issuing CA/),
      'ok     without a certificate: 400, expected 400',
      'ok     with a certificate: 200, expected 200',
    ]);
    expect(code).toBe(0);
  });

  it('fails if its certificate is denied', async () => {
    await using stage = await openStage();
    const other = stage.authority.issueClient({ subject: { OU: 'another', CN: 'another' } });
    const { code, output } = await call(stage, {}, other);
    expect(output).toContain('FAILED with a certificate: 403, expected 200');
    expect(code).toBe(1);
  });

  it('fails if no CA names are advertised, unless the values set that', async () => {
    const config = { listen: { advertiseCaNames: false } };
    await using stage = await openStage({ config });
    expect(await call(stage, {})).toMatchObject({
      code: 1,
      output: expect.stringContaining('acceptable CA names: none'),
    });
    expect(await call(stage, { config })).toMatchObject({ code: 0 });
  });

  it('accepts a closed connection instead of 400 with rejectWith: close', async () => {
    const config = { listen: { rejectWith: 'close' } };
    await using stage = await openStage({ config });
    expect(await call(stage, {})).toMatchObject({ code: 1 });
    expect(await call(stage, { config })).toMatchObject({ code: 0 });
  });

  it.each(['accept', 'http'])(
    'reports that the allowlist does not contain its address, with refuseAt: %s',
    async (refuseAt) => {
      await using stage = await openStage({ config: { clients: { allowlist: ['203.0.113.7'], refuseAt } } });
      expect(await call(stage, {})).toMatchObject({
        code: 0,
        output: expect.stringContaining('config.clients.allowlist does not contain this address'),
      });
      // With a certificate it must be allowed.
      expect(await call(stage, {}, stage.leaf)).toMatchObject({ code: 1 });
    },
  );

  it('fails if the gateway does not listen', async () => {
    const stage = await openStage();
    await stage[Symbol.asyncDispose]();
    expect(await call(stage, withoutAllowlist)).toMatchObject({
      code: 1,
      output: expect.stringContaining('FAILED TLS with'),
    });
  });
});

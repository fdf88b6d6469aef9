import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authority } from '../support/pki/authority.ts';
import { openStage, type Stage } from '../support/process/stage.ts';
import { one, render } from './support/chart.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ehi-chart-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs the pod's command with its arguments and files, against a gateway on this machine. */
async function examine(stage: Stage, values: Record<string, object>, leaf?: Stage['leaf']) {
  const files = await mkdtemp(join(folder, 'files-'));
  const secret = leaf === undefined ? {} : { clientSecret: 'caller' };
  const objects = render('default', { ...values, test: { ...values.test, ...secret } });
  const [container] = one(objects, 'Pod').spec.containers;
  const configMap = objects.find(
    ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.endsWith('-test'),
  );
  for (const [name, content] of Object.entries(configMap?.data ?? {}))
    await writeFile(join(files, name), content as string);
  if (leaf !== undefined) {
    await writeFile(join(files, 'tls.crt'), leaf.chainPem);
    await writeFile(join(files, 'tls.key'), leaf.keyPem);
  }
  const [, program, ...rest] = container.args as string[];
  expect(program).toBe('/opt/ehi-gateway/dist/main.js');
  const args = rest.map((each) =>
    each
      .replace(/^https:\/\/edge-ehi-gateway\//, `https://127.0.0.1:${stage.gateway.port}/`)
      .replace(/^\/(?:test|client)\//, `${files}/`),
  );
  const child = spawn(process.execPath, [main, ...args], { env: { ...process.env, NO_COLOR: '1' } });
  const [output, errors, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { code: code as number, output, errors, args };
}

describe('the pod of helm test', () => {
  it('passes every check with the CA, the name and a client certificate', async () => {
    await using stage = await openStage();
    const test = { body: '{"a":1}', ca: stage.authority.root.pem, servername: 'localhost' };
    const { code, output, errors } = await examine(stage, { test }, stage.leaf);
    expect(errors).toBe('');
    // A warning may say that this machine is busy.
    expect(output).not.toMatch(/^ {2}[✘?]/m);
    expect(output).toContain('CN=Example Root CA');
    expect(stage.host.requests.map(({ body }) => body.toString())).toEqual(Array(9).fill('{"a":1}'));
    expect(code).toBe(0);
  });

  it('passes without them, tolerates what then cannot be judged, and says so', async () => {
    await using stage = await openStage();
    const { code, output, args } = await examine(stage, {});
    expect(output).toMatch(/! the chain verifies .*\(tolerated\)/s);
    expect(args.slice(-2)).toEqual(['--tolerate', 'chain-name,chain-complete,chain-trust,admitted']);
    expect(output).toMatch(/\? a message gets 2xx/);
    expect(output).toMatch(/✔ no certificate gets 400 or 403 +400/);
    expect(code).toBe(0);
  });

  it('fails if the certificate is for another name, or of another CA', async () => {
    await using stage = await openStage();
    const other = await examine(stage, { test: { servername: 'ehi.example.com' } });
    expect(other).toMatchObject({ code: 1, output: expect.stringContaining('✘ the name matches') });
    const ca = authority().root.pem;
    const untrusted = await examine(stage, { test: { ca } });
    expect(untrusted).toMatchObject({ code: 1, output: expect.stringContaining('✘ the chain verifies') });
  });

  it('fails if its certificate is denied', async () => {
    await using stage = await openStage();
    const other = stage.authority.issueClient({ subject: { OU: 'another', CN: 'another' } });
    const { code, output } = await examine(stage, {}, other);
    expect(output).toMatch(/✘ a message gets 2xx +403/);
    expect(code).toBe(1);
  });

  it('fails if no CA names are advertised, unless the values set that', async () => {
    const config = { listen: { advertiseCaNames: false } };
    await using stage = await openStage({ config });
    expect(await examine(stage, {})).toMatchObject({
      code: 1,
      output: expect.stringMatching(/✘ acceptable CA names +the list is empty/),
    });
    expect(await examine(stage, { config })).toMatchObject({ code: 0 });
  });

  it('accepts a closed connection instead of 400 with rejectWith: close', async () => {
    const config = { listen: { rejectWith: 'close' } };
    await using stage = await openStage({ config });
    expect(await examine(stage, {})).toMatchObject({ code: 1 });
    expect(await examine(stage, { config })).toMatchObject({ code: 0 });
  });

  it.each(['accept', 'http'])(
    'reports that the allowlist does not contain its address, with refuseAt: %s',
    async (refuseAt) => {
      await using stage = await openStage({ config: { clients: { allowlist: ['203.0.113.7'], refuseAt } } });
      expect(await examine(stage, {})).toMatchObject({
        code: 0,
        output: expect.stringMatching(
          refuseAt === 'accept'
            ? /! this address is let in .*\(tolerated\)/s
            : /✔ no certificate gets 400 or 403 +403/,
        ),
      });
      // With a certificate it must be allowed.
      expect(await examine(stage, {}, stage.leaf)).toMatchObject({ code: 1 });
    },
  );

  it('fails if the gateway does not listen', async () => {
    const stage = await openStage();
    await stage[Symbol.asyncDispose]();
    expect(await examine(stage, {})).toMatchObject({
      code: 69,
      errors: expect.stringContaining('cannot be reached'),
    });
  });
});

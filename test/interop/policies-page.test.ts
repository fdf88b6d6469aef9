/** The configurations of docs/policies.md, read by the real `check`. */
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { temporaryFolder } from '../support/folder.ts';
import { selfSigned, setFor } from '../support/identity/self-signed.ts';
import { authority } from '../support/pki/authority.ts';
import { runCommand } from '../support/process/command.ts';

const page = readFileSync(new URL('../../docs/policies.md', import.meta.url), 'utf8');

/** The heading above a block, and the block. */
const examples = [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].map(({ 1: yaml = '', index }, number) => {
  const heading =
    page
      .slice(0, index)
      .match(/^#+ .*$/gm)
      ?.at(-1) ?? '';
  return [`${number + 1}, ${heading.replace(/^#+ /, '')}`, yaml] as const;
});

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
  const pki = authority();
  const [server, gateway] = [pki.issueServer(), pki.issueClient({ key: 'rsa-2048' })];
  const files = {
    'server.pem': server.chainPem,
    'server.key': server.keyPem,
    'clients-ca.pem': pki.anchorPem,
    'gateway-transport.pem': gateway.chainPem,
    'gateway-transport.key': gateway.keyPem,
    'introspection.secret': 'a secret of the example\n',
    'hmac.secret': 'a secret of at least 32 bytes for the example\n',
    'clients.jwks.json': setFor(selfSigned('mosaic')),
  };
  for (const [name, content] of Object.entries(files))
    await writeFile(join(folder.path, name), content, { mode: 0o600 });
});
afterAll(() => folder[Symbol.asyncDispose]());

async function check(yaml: string) {
  await writeFile(join(folder.path, 'gateway.yaml'), yaml);
  return runCommand(['check', '--elsewhere', '--config', 'gateway.yaml'], { cwd: folder.path });
}

it('has a configuration for each system', () => {
  const headings = examples.map(([heading]) => heading.replace(/^\d+, /, ''));
  expect(new Set(headings)).toEqual(
    new Set([
      ...['Authlete', 'Transmit Mosaic', 'Raidiam Connect and the Thredd Portal'],
      'Thredd, signed payloads',
    ]),
  );
});

it.each(examples)('example %s is accepted', async (_, yaml) => {
  const { code, stdout, stderr } = await check(yaml);
  expect(stderr.split('\n').filter((line) => line !== '' && !line.endsWith('(warning)'))).toEqual([]);
  expect(stdout).toContain('gateway.yaml is valid: 1 route');
  expect(code).toBe(0);
});

it('an example with a misspelt field is not accepted', async () => {
  const [, yaml = ''] = examples[0] ?? [];
  const { code, stderr } = await check(yaml.replace('audience:', 'audiense:'));
  expect(stderr).toContain('audiense');
  expect(code).toBe(78);
});

it.each([
  ['mode: registered', /no CA vouches for a client\. Not verified: /],
  ['certificate: optional', /a client without a certificate may connect/],
  ['audience: any', /a token that was issued for another service is accepted too/],
])('`check` says in words what %s gives up', async (field, sentence) => {
  const [, yaml = ''] = examples.find(([, text]) => text.includes(field)) ?? [];
  expect(yaml).toContain(field);
  const { stderr } = await check(yaml);
  expect(stderr).toMatch(sentence);
  expect(stderr).toContain('(warning)');
});

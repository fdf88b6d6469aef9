/** The pins of certificates, as `clients.pins` takes them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { clientsSchema } from '../../src/config/schema/clients.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { temporaryFolder } from '../support/folder.ts';
import { authority } from '../support/pki/authority.ts';
import { program } from '../support/process/program.ts';

const pki = authority();
const client = pki.issueClient();
const pinOf = ({ der }: { readonly der: Uint8Array }) => `sha256/${parseCertificate(der).spkiPin}`;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
  await writeFile(join(folder.path, 'client.pem'), client.pem);
  await writeFile(join(folder.path, 'client.der'), client.der);
  await writeFile(join(folder.path, 'chain.pem'), client.chainPem);
  await writeFile(join(folder.path, 'client.key'), client.keyPem);
});
afterAll(() => folder[Symbol.asyncDispose]());

async function pin(args: readonly string[], input = '') {
  const child = spawn(process.execPath, [program, 'certs', 'pin', ...args], { cwd: folder.path });
  child.stdin.end(input);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { stdout, stderr, code };
}

it('prints a line for each certificate: PEM, DER, a chain, standard input', async () => {
  const line = `${pinOf(client)}  # CN=Example client,OU=Example organisation,O=Example,C=GB\n`;
  for (const [file, input] of [['client.pem'], ['client.der'], ['-', client.pem]] as const)
    expect(await pin([file], input)).toEqual({ stdout: line, stderr: '', code: 0 });
  const { stdout } = await pin(['client.pem', 'chain.pem']);
  expect(stdout.split('\n').map((each) => each.split(' ')[0])).toEqual([
    ...[pinOf(client), pinOf(client), pinOf(pki.issuing)],
    '',
  ]);
  expect(stdout.trimEnd().endsWith('(a CA: its key is on the path of every client that it issues)')).toBe(
    true,
  );
});

it('prints lines that can be copied into clients.pins', async () => {
  const { stdout } = await pin(['chain.pem']);
  const items = stdout
    .trimEnd()
    .split('\n')
    .map((line) => `  - ${line}`);
  const { pins } = clientsSchema('/').parse(parse(['pins:', ...items].join('\n')));
  expect(pins?.map((each) => `sha256/${each}`)).toEqual([pinOf(client), pinOf(pki.issuing)]);
});

it('prints one JSON document with --json', async () => {
  const { stdout } = await pin(['--json', 'chain.pem']);
  const { serial, notAfter, subject } = parseCertificate(client.der);
  expect(JSON.parse(stdout)).toEqual({
    certificates: [
      {
        ...{ file: 'chain.pem', subject, serial, ca: false, pin: pinOf(client) },
        not_after: new Date(notAfter).toISOString(),
      },
      expect.objectContaining({ ca: true, pin: pinOf(pki.issuing) }),
    ],
  });
});

it('names each file without a certificate, without its content, and prints the others', async () => {
  const { stdout, stderr, code } = await pin(['absent.pem', 'client.key', 'client.pem']);
  expect(stderr).toBe(
    'absent.pem: cannot be read (ENOENT)\nclient.key: PEM block 1 (line 1) is a private key; only certificates are allowed\n',
  );
  expect(stdout.startsWith(pinOf(client))).toBe(true);
  expect(code).toBe(64);
  expect((await pin([])).code).toBe(64);
});

it('stops at its limit in a file without an end', async () => {
  expect(await pin(['/dev/zero'])).toEqual({
    ...{ stdout: '', code: 64 },
    stderr: '/dev/zero: found more than 16777216 bytes; allowed at most 16777216\n',
  });
});

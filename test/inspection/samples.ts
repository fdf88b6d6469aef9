/** Files of each kind as openssl and keytool write them, all of one authority. */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { jwksOf } from '../../src/issuing/jwks.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { toPemBlock } from '../../src/pki/pem.ts';
import { temporaryFolder } from '../support/folder.ts';
import { type Authority, authority, type Leaf } from '../support/pki/authority.ts';
import { certId, ocspAnswer } from '../support/revocation/ocsp-answer.ts';

const run = promisify(execFile);

/** Of every key store. */
export const password = 'a secret word';

export interface Samples extends AsyncDisposable {
  readonly folder: string;
  readonly pki: Authority;
  readonly client: Leaf;
  /** File name → content. */
  readonly files: ReadonlyMap<string, Buffer>;
  openssl(...flags: string[]): Promise<void>;
  path(name: string): string;
}

export async function makeSamples(now = Date.now()): Promise<Samples> {
  const folder = await temporaryFolder();
  const { path } = folder;
  const pki = authority({ now });
  const client = pki.issueClient();
  const openssl = async (...flags: string[]) => void (await run('openssl', flags, { cwd: path }));
  const write = (name: string, content: string | Uint8Array) => writeFile(join(path, name), content);
  await write('client.pem', client.pem);
  await write('client.der', client.der);
  await write('client.key', client.keyPem);
  await write('chain.pem', client.chainPem + pki.root.pem);
  await write('ca.crl', pki.crl({ revoked: [{ serial: client }] }).pem);
  await write('ca-der.crl', pki.crl({ revoked: [{ serial: client }] }).der);
  const answer = ocspAnswer({
    singles: [{ certId: certId(client, pki.issuing), thisUpdate: now, nextUpdate: now + 3_600_000 }],
    ...{ producedAt: now, signer: pki.issuing },
  });
  await write('answer.ors', answer);
  await write('answer.pem', toPemBlock(answer, 'OCSP RESPONSE'));
  const chain = [client, pki.issuing].map(({ der }) => parseCertificate(der));
  await write('client.jwks', JSON.stringify(jwksOf([{ file: 'chain.pem', certificates: chain }])));
  await openssl('req', '-new', '-key', 'client.key', '-subj', '/C=GB/CN=Asked for', '-out', 'client.csr');
  await openssl('req', '-in', 'client.csr', '-outform', 'DER', '-out', 'client-der.csr');
  await openssl('crl2pkcs7', '-in', 'ca.crl', '-certfile', 'chain.pem', '-out', 'chain.p7b');
  await openssl('pkcs7', '-in', 'chain.p7b', '-outform', 'DER', '-out', 'chain-der.p7b');
  await openssl('pkey', '-in', 'client.key', '-pubout', '-out', 'client.pub');
  await openssl(
    'pkcs8',
    '-topk8',
    '-in',
    'client.key',
    '-passout',
    `pass:${password}`,
    '-out',
    'encrypted.key',
  );
  const store = ['pkcs12', '-export', '-in', 'chain.pem', '-inkey', 'client.key', '-iter', '10'];
  await openssl(...store, '-passout', `pass:${password}`, '-out', 'client.p12');
  await openssl(...store, '-passout', 'pass:', '-out', 'open.p12');
  await openssl(...store, '-legacy', '-passout', `pass:${password}`, '-out', 'legacy.p12');
  const names = [
    ...['client.pem', 'client.der', 'client.key', 'chain.pem', 'ca.crl', 'ca-der.crl', 'answer.ors'],
    ...['answer.pem', 'client.jwks', 'client.csr', 'client-der.csr', 'chain.p7b', 'chain-der.p7b'],
    ...['client.pub', 'encrypted.key', 'client.p12', 'open.p12', 'legacy.p12'],
  ];
  const contents = await Promise.all(names.map((name) => readFile(join(path, name))));
  return {
    ...{ folder: path, pki, client, openssl },
    files: new Map(names.map((name, index) => [name, contents[index] as Buffer])),
    path: (name) => join(path, name),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

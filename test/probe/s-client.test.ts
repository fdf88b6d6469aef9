import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseMessages, readWithSClient } from '../../src/probe/s-client.ts';
import { temporaryFolder } from '../support/folder.ts';
import { authority } from '../support/pki/authority.ts';
import { answerWith } from '../support/probe/misbehaving-server.ts';
import { asking, openTlsServer } from '../support/probe/tls-server.ts';

const ca = authority();

const at = (port: number, timeoutMs = 20_000) => {
  return { host: '127.0.0.1', port, servername: 'localhost', timeoutMs };
};

/** As s_client prints it: 16 bytes on a line. */
function printed(name: string, hex: string): string {
  const length = hex.length / 2;
  const lines = (hex.match(/.{1,32}/g) ?? []).map((line) => `    ${line.replace(/..(?!$)/g, '$& ')}`);
  return [
    `<<< TLS 1.3, Handshake [length ${length.toString(16).padStart(4, '0')}], ${name}`,
    ...lines,
    '',
  ].join('\n');
}

const certificate = `0b000011${'00'}00000d${'000008'}3006020101020102${'0000'}`;
const request = `0d00000b${'00'}0008${'000d0004'}00020403`;

describe('openssl s_client', () => {
  it('gives certificates and names of a server of TLS 1.3, as they were sent', async () => {
    const leaf = ca.issueServer();
    const cert = leaf.pem + ca.root.pem + ca.issuing.pem;
    await using server = await openTlsServer(ca, {
      ...asking(ca),
      minVersion: 'TLSv1.3',
      cert,
      key: leaf.keyPem,
    });
    const facts = await readWithSClient(at(server.port), 'openssl');
    if (facts.kind !== 'sent') throw new Error(facts.reason);
    expect(facts.certificates).toEqual([leaf.der, ca.root.der, ca.issuing.der]);
    expect(facts.certificateRequest?.authorities).toHaveLength(2);
    expect(facts.certificateRequest?.signatureSchemes.length).toBeGreaterThan(3);
  });

  it('gives no request where none is made', async () => {
    await using server = await openTlsServer(ca, { minVersion: 'TLSv1.3' });
    expect(await readWithSClient(at(server.port), 'openssl')).toMatchObject({
      kind: 'sent',
      certificateRequest: null,
    });
  });

  it('is ended when the limit passes', async () => {
    await using server = await answerWith(() => {});
    expect(await readWithSClient(at(server.port, 300), 'openssl')).toEqual({
      kind: 'not-possible',
      reason: 'openssl s_client did not end in time',
    });
  });

  it('is a value where it shows no certificate', async () => {
    await using server = await openTlsServer(ca, { maxVersion: 'TLSv1.2' });
    expect(await readWithSClient(at(server.port), 'openssl')).toEqual({
      kind: 'not-possible',
      reason: 'openssl s_client shows no certificate',
    });
  });

  it('is a value where the program writes without end, or cannot be run', async () => {
    await using folder = await temporaryFolder();
    const program = join(folder.path, 'openssl');
    await writeFile(program, '#!/bin/sh\nexec yes\n');
    expect(await readWithSClient(at(1), program)).toEqual({
      kind: 'not-possible',
      reason: 'openssl cannot be run',
    });
    await chmod(program, 0o755);
    expect(await readWithSClient(at(1), program)).toEqual({
      kind: 'not-possible',
      reason: 'openssl s_client wrote too much',
    });
  });
});

describe('the output of s_client -msg', () => {
  it('is read message by message', () => {
    const text = `CONNECTED(00000003)\n${printed('CertificateRequest', request)}${printed('Certificate', certificate)}---\n`;
    expect(parseMessages(text)).toEqual({
      kind: 'sent',
      certificates: [Buffer.from('3006020101020102', 'hex')],
      certificateRequest: {
        certificateTypes: [],
        signatureSchemes: [{ code: 0x0403, name: 'ecdsa_secp256r1_sha256' }],
        authorities: [],
      },
    });
  });

  it.each([
    ['fewer bytes than it says', printed('Certificate', certificate.slice(0, -2))],
    ['more bytes than it says', printed('Certificate', `${certificate}00`)],
    ['a message with another length inside', printed('Certificate', `0b000012${certificate.slice(8)}`)],
    ['a message of which something is left over', printed('Certificate', `0b000010${certificate.slice(8)}`)],
    ['nothing', ''],
    ['a heading alone', '<<< TLS 1.3, Handshake [length 0015], Certificate'],
  ])('is refused where it has %s', (_, text) => {
    expect(parseMessages(text).kind).toBe('not-possible');
  });

  it('is a value whatever it contains', () => {
    const hex = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('hex'));
    fc.assert(
      fc.property(fc.constantFrom('0b', '0d'), hex, fc.string(), (type, body, noise) => {
        const length = (body.length / 2).toString(16).padStart(6, '0');
        const text = `${noise}\n${printed('Message', `${type}${length}${body}`)}`;
        expect(parseMessages(text).kind).toMatch(/^(?:sent|not-possible)$/);
      }),
    );
  });
});

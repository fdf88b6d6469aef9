import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Certificate, parseCertificate } from '../../../src/pki/certificate.ts';
import type { CrlParseResult } from '../../../src/revocation/crl/job.ts';
import { CrlParser } from '../../../src/revocation/crl/parser.ts';
import { findRow } from '../../../src/revocation/crl/table.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { authority } from '../../support/pki/authority.ts';
import { manyRevoked } from '../../support/revocation/crl.ts';

const pki = authority();
const issuers = [pki.root.der, pki.issuing.der].map(parseCertificate);
const leaf = pki.issueClient();
const { der, pem } = pki.crl({ revoked: [{ serial: leaf }] });

function findsLeaf(answer: CrlParseResult): boolean {
  if (!answer.ok) throw new Error(answer.detail);
  const { table, issuer } = answer.crl;
  return findRow(table, parseCertificate(leaf.der).serialOctets, issuer) >= 0;
}

describe.each([
  { where: 'on this thread', small: 64 * 1024 },
  { where: 'in a worker thread', small: 0 },
])('the parser, with CRLs parsed $where,', ({ small }) => {
  it('parses bytes into a table that this thread can search', async () => {
    await using parser = new CrlParser({ small });
    expect(findsLeaf(await parser.parse({ source: Uint8Array.from(der), issuers }))).toBe(true);
    expect(findsLeaf(await parser.parse({ source: Buffer.from(pem), issuers }))).toBe(true);
  });

  it('parses DER and PEM files', async () => {
    await using folder = await temporaryFolder();
    await using parser = new CrlParser({ small });
    for (const [name, contents] of [['a.crl', der] as const, ['a.pem', pem] as const]) {
      const source = join(folder.path, name);
      await writeFile(source, contents);
      expect(findsLeaf(await parser.parse({ source, issuers }))).toBe(true);
    }
  });

  it('distinguishes a missing file from one that is not a CRL', async () => {
    await using folder = await temporaryFolder();
    await using parser = new CrlParser({ small });
    const file = (name: string) => parser.parse({ source: join(folder.path, name), issuers });
    await writeFile(join(folder.path, 'empty'), '');
    await mkdir(join(folder.path, 'folder'));
    expect(await file('absent')).toMatchObject({
      problem: 'file',
      detail: expect.stringContaining('ENOENT'),
    });
    expect(await file('folder')).toMatchObject({ problem: 'file', detail: 'not a regular file' });
    expect(await file('empty')).toMatchObject({ problem: 'unreadable' });
  });

  it('returns results in the order of the calls', async () => {
    await using parser = new CrlParser({ small });
    const many = Array.from({ length: 5 }, (_, index) => pki.crl({ number: index }).der);
    const order: number[] = [];
    const answers = await Promise.all(
      many.map(async (each, index) => {
        const answer = await parser.parse({ source: Uint8Array.from(each), issuers });
        order.push(index);
        return answer.ok ? answer.crl.number : null;
      }),
    );
    expect(answers).toEqual([0n, 1n, 2n, 3n, 4n]);
    expect(order).toEqual([0, 1, 2, 3, 4]);
  });
});

describe('the worker thread of the parser', () => {
  it('transfers a whole buffer and copies a part of one', async () => {
    await using parser = new CrlParser({ small: 0 });
    const whole = Uint8Array.from(der);
    const memory = new Uint8Array(der.length + 10);
    memory.set(der, 5);
    const part = memory.subarray(5, 5 + der.length);
    await parser.parse({ source: whole, issuers });
    expect(findsLeaf(await parser.parse({ source: part, issuers }))).toBe(true);
    expect([whole.length, part.length]).toEqual([0, der.length]);
  });

  it('rejects the CRL when its thread ends, and parses the next one', async () => {
    await using parser = new CrlParser({ small: 0 });
    const none = { der: Buffer.from('no certificate') } as Certificate;
    const broken = parser.parse({ source: Uint8Array.from(der), issuers: [none] });
    const next = parser.parse({ source: Uint8Array.from(der), issuers });
    await expect(broken).rejects.toMatchObject({ code: 'CRL_THREAD' });
    expect(findsLeaf(await next)).toBe(true);
  });

  it('is used above the size limit, for bytes and for files', async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'a.crl');
    await writeFile(file, der);
    const none = { der: Buffer.from('no certificate') } as Certificate;
    for (const source of [() => Uint8Array.from(der), () => file]) {
      await using short = new CrlParser({ small: der.length });
      await using long = new CrlParser({ small: der.length - 1 });
      // Only a worker thread has to parse the issuer again.
      expect(await short.parse({ source: source(), issuers: [none] })).toMatchObject({ ok: false });
      await expect(long.parse({ source: source(), issuers: [none] })).rejects.toMatchObject({
        code: 'CRL_THREAD',
      });
    }
  });

  it('ends with the parser, and rejects the CRLs that wait', async () => {
    const parser = new CrlParser();
    const many = pki.crl({ revoked: manyRevoked(200_000, { width: 20, at: Date.now() }).der }).der;
    const jobs = [many, der].map((source) => parser.parse({ source: Uint8Array.from(source), issuers }));
    const ends = Promise.allSettled(jobs);
    await parser.close();
    expect(await ends).toMatchObject([{ reason: { code: 'CLOSED' } }, { reason: { code: 'CLOSED' } }]);
    await expect(parser.parse({ source: der, issuers })).rejects.toMatchObject({ code: 'CLOSED' });
  });
});

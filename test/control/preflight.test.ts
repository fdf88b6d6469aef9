import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acceptAnchor, preflight } from '../../src/control/preflight.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { createSite, minimal, type Site } from '../config/site.ts';
import { authority } from '../support/pki/authority.ts';

let site: Site;
beforeEach(async () => {
  site = await createSite();
});
afterEach(() => site[Symbol.asyncDispose]());

/** What is wrong with the minimal configuration changed so, as lines without the folder. */
async function problemsOf(config: Record<string, unknown>): Promise<string[]> {
  await site.write('gateway.yaml', JSON.stringify({ ...minimal, ...config }, null, 1));
  const { problems, loaded } = await preflight(site.file);
  expect(loaded === null).toBe(problems.length > 0);
  return problems.map(({ file, line, column, path, found }) => {
    expect(file).toBe(site.file);
    return `${line}:${column} ${path}: ${found.replaceAll(`${site.folder}/`, '')}`;
  });
}

const pki = authority();
const parse = ({ der }: { der: Uint8Array }) => parseCertificate(der);

it('passes what run would start with, and fetches nothing', async () => {
  expect(await problemsOf({})).toEqual([]);
  const urls = ['https://192.0.2.1/root.pem'];
  expect(await problemsOf({ trust: { anchors: [{ name: 'far', urls }] } })).toEqual([]);
});

it('names the problems of candidates beside those of the anchors', async () => {
  await site.write('words.pem', 'no certificate at all');
  const anchors = [{ name: 'own', files: ['absent.pem'] }];
  const candidates = [
    { name: 'good', files: ['anchor.pem'] },
    { name: 'words', files: ['words.pem'] },
  ];
  const lines = await problemsOf({ trust: { anchors, candidates } });
  expect(lines.map((line) => line.split(/[ :]+/)[2])).toEqual([
    'trust.anchors[0].files[0]',
    'trust.candidates[1].files[0]',
  ]);
});

it('names the place of every anchor’s problem, all of them at once', async () => {
  await site.write('leaf.pem', pki.issueClient().pem);
  await site.write('issuing.pem', pki.issuing.pem);
  await site.write('words.pem', 'no certificate at all');
  const anchors = [
    { name: 'leaf', files: ['leaf.pem'] },
    { name: 'absent', files: ['anchor.pem', 'absent.pem'] },
    { name: 'good', files: ['anchor.pem'] },
    { name: 'rootless', files: ['issuing.pem'] },
    { name: 'words', files: ['words.pem'] },
    { name: 'pinned', files: ['anchor.pem'], rootSha256: parse(pki.root).sha256 },
  ];
  const lines = await problemsOf({ trust: { anchors } });
  expect([...new Set(lines.map((line) => line.split(': ')[0]?.split(' ')[1]))]).toEqual([
    'trust.anchors[0].files',
    'trust.anchors[1].files[1]',
    'trust.anchors[3].files',
    'trust.anchors[4].files[0]',
    'trust.anchors[5].files',
  ]);
  const said = lines.join('\n');
  expect(said).toMatch(/anchors\[0\]\.files: CN=Example client.*: is no CA certificate/);
  expect(said).toMatch(/absent\.pem: ENOENT$/m);
  expect(said).toMatch(/anchors\[3\]\.files: no self-signed root/);
  expect(said).toMatch(/its SHA-256 is (?:[0-9a-f]{2}:){31}[0-9a-f]{2}, not rootSha256$/m);
  const places = lines.map((line) => Number(line.split(':')[0]));
  expect(places).toEqual(places.toSorted((one, other) => one - other));
});

it('warns of what an anchor passes over, and has a problem only where no anchor is left', async () => {
  const old = authority({ name: 'Old', issuing: { notAfter: Date.now() - 1000 } });
  await site.write('old.pem', old.anchorPem);
  const examine = async (anchors: object[]) => {
    await site.write('gateway.yaml', JSON.stringify({ ...minimal, trust: { anchors } }));
    const { problems, warnings } = await preflight(site.file);
    return { problems, warnings: warnings.filter(({ path }) => path.startsWith('trust')) };
  };
  const [good, gone] = [
    { name: 'good', files: ['anchor.pem'] },
    { name: 'old', files: ['old.pem'] },
  ];
  const expired = expect.stringMatching(/CN=Old Issuing CA.*: expired at /);
  expect(await examine([gone, good])).toEqual({
    problems: [],
    warnings: [expect.objectContaining({ path: 'trust.anchors[0].files', found: expired })],
  });
  expect((await examine([gone])).problems).toEqual([
    expect.objectContaining({ path: 'trust.anchors', found: expired }),
  ]);
  const far = { name: 'far', urls: ['https://192.0.2.1/root.pem'] };
  expect((await examine([gone, far])).problems, 'a URL may serve one').toEqual([]);
});

it('names a certificate that cannot be read where nothing is left without it', async () => {
  const odd = (pem: string) => pem.replace(/(?<=\n)[^\n]{64}(?=\n)/, 'A'.repeat(64));
  const one = authority({ name: 'One' });
  await site.write('rootless.pem', odd(one.root.pem) + one.issuing.pem);
  await site.write('bare.pem', one.root.pem + odd(one.issuing.pem));
  const anchors = ['rootless', 'bare'].map((name) => ({ name, files: [`${name}.pem`] }));
  const lines = await problemsOf({ trust: { anchors } });
  expect(lines).toEqual([
    expect.stringMatching(/anchors\[0\]\.files: .*rootless\.pem: PEM block 1 \(line 1\) /),
    expect.stringMatching(/anchors\[0\]\.files: no self-signed root/),
    expect.stringMatching(/anchors\[1\]\.files: .*bare\.pem: PEM block 2 \(line \d+\) /),
  ]);
});

it('has a problem with a file of which nothing can be used', async () => {
  const [one, other] = [authority({ name: 'One' }), authority({ name: 'Other' })];
  await site.write('one.pem', one.anchorPem);
  await site.write('other.pem', other.issuing.pem);
  const lines = await problemsOf({ trust: { anchors: [{ name: 'own', files: ['one.pem', 'other.pem'] }] } });
  expect(lines).toEqual([
    expect.stringMatching(
      /anchors\[0\]\.files\[1\]: .*none of its certificates can be used: .*no path leads/,
    ),
  ]);
});

it('has one problem with a configuration that is not there', async () => {
  const { problems } = await preflight(join(site.folder, 'absent.yaml'));
  expect(problems).toEqual([expect.objectContaining({ path: '', line: 1, column: 1 })]);
});

describe('an anchor', () => {
  const anchor = {
    name: 'own',
    certificates: [parse(pki.root), parse(pki.issuing)] as const,
    skipped: [],
  };
  const ofLeaf = parse(pki.issueClient()).spkiPin;
  const ofRoot = parse(pki.root).spkiPin;
  const ofIssuing = parse(pki.issuing).spkiPin;

  async function refusal(clients: Record<string, unknown>): Promise<string | null> {
    await site.write('gateway.yaml', JSON.stringify({ ...minimal, clients }));
    const { loaded, problems } = await preflight(site.file);
    expect(problems).toEqual([]);
    return loaded === null
      ? 'not loaded'
      : acceptAnchor(loaded.config.clients)({ ...anchor, certificates: [...anchor.certificates] });
  }
  const pins = (...keys: string[]) => keys.map((key) => `sha256/${key}`);

  it.each([
    ['a leaf’s pin', { pins: pins(ofLeaf) }],
    ['its own CA’s pin beside an allowlist', { pins: pins(ofIssuing), allowlist: ['203.0.113.7'] }],
    ['its own CA’s pin beside match', { pins: pins(ofRoot), match: { commonName: 'a' } }],
    ['its own CA’s pin where anybody may call', { pins: pins(ofRoot), anyCertificateOfAnchor: true }],
    ['match alone', { match: { commonName: 'a' } }],
  ])('is taken beside %s', async (_what, clients) => {
    expect(await refusal(clients)).toBeNull();
  });

  it.each([
    ['its root’s pin alone', { pins: pins(ofRoot) }, /CN=Example Root CA.* names no caller$/],
    ['its issuing CA’s pin alone', { pins: pins(ofIssuing) }, /CN=Example Issuing CA.* names no caller$/],
    ['a leaf’s pin and its issuing CA’s', { pins: pins(ofLeaf, ofIssuing) }, /names no caller$/],
    [
      'its issuing CA’s pin beside a range of length /0',
      { pins: pins(ofIssuing), allowlist: ['0.0.0.0/0'] },
      /names no caller$/,
    ],
    [
      'its issuing CA’s pin beside a match on the issuer alone',
      { pins: pins(ofIssuing), match: { issuer: 'CN=Example Issuing CA' } },
      /names no caller$/,
    ],
  ])('is refused beside %s', async (_what, clients, says) => {
    expect(await refusal(clients)).toMatch(says);
  });
});

describe('warns of anchors and lists that will not do what is wanted', () => {
  const warningsOf = async (trust: object) => {
    await site.write('gateway.yaml', JSON.stringify({ ...minimal, trust }, null, 1));
    const { problems, warnings } = await preflight(site.file);
    expect(problems).toEqual([]);
    return warnings.map(({ path, found }) => `${path}: ${found.replaceAll(`${site.folder}/`, '')}`);
  };

  it('a root alone, of anchors and candidates, since what clients send along is never used', async () => {
    await site.write('root.pem', pki.root.pem);
    await site.write('both.pem', pki.anchorPem);
    const root = 'CN=Example Root CA,OU=Example Directory,O=Example Limited,C=GB';
    const says = `only the root ${root}: clients whose certificates come from an issuing CA below it are refused`;
    expect(
      await warningsOf({
        anchors: [
          { name: 'whole', files: ['both.pem'] },
          { name: 'half', files: ['root.pem'] },
        ],
        candidates: [{ name: 'next', files: ['root.pem'] }],
      }),
    ).toEqual([`trust.anchors[1].files: ${says}`, `trust.candidates[0].files: ${says}`]);
  });

  it('a CA that expires within 30 days', async () => {
    const day = 24 * 3_600_000;
    const soon = authority({ issuing: { notAfter: Date.now() + 29 * day } });
    await site.write('soon.pem', soon.anchorPem);
    expect(await warningsOf({ anchors: [{ name: 'soon', files: ['soon.pem'] }] })).toEqual([
      expect.stringMatching(/^trust\.anchors\[0\]\.files: CN=Example Issuing CA.*, which expires on 20\d\d-/),
    ]);
  });

  it('a CRL file that is not there', async () => {
    const revocation = { crl: ['absent.crl', 'https://crl.example/a.crl', 'anchor.pem'] };
    expect(await warningsOf({ anchors: [{ name: 'own', files: ['anchor.pem'], revocation }] })).toEqual([
      'trust.anchors[0].revocation.crl[0]: absent.crl that cannot be read (ENOENT)',
    ]);
  });
});

/** A folder with a server certificate, and configurations in it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { type ConfigExamination, examineText } from '../../src/config/load.ts';
import { describeProblem } from '../../src/errors.ts';
import { authority } from '../support/pki/authority.ts';

export interface Site extends AsyncDisposable {
  readonly folder: string;
  readonly file: string;
  /** Writes a file of mode 0600 beside the configuration. */
  write(name: string, content: string | Uint8Array): Promise<void>;
  /** Examines a text, or the minimal configuration with some top-level keys replaced (undefined: left out). */
  examine(config: string | Record<string, unknown>, now?: number): Promise<ConfigExamination>;
  /** The problems as lines, without the folder. */
  problems(config: string | Record<string, unknown>): Promise<string[]>;
}

/** The smallest configuration that is accepted without a warning. */
export const minimal = {
  listen: { certificate: { chain: 'server.pem', key: 'server.key' } },
  trust: { anchors: [{ name: 'own', files: ['anchor.pem'] }] },
  clients: { allowlist: ['203.0.113.7/32'], match: { organizationalUnit: 'caller' } },
  routes: [{ path: '/', upstream: 'http://127.0.0.1:8080' }],
};

/** `revocation` of an anchor that does not set it, after parsing. */
export const defaultRevocation = {
  crl: 'auto',
  ocsp: 'auto',
  scope: 'chain',
  onUnknown: 'deny',
  grace: 86_400_000,
  firstContact: 1000,
  refresh: 3_600_000,
};

export async function createSite(): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'ehi-config-'));
  const file = join(folder, 'gateway.yaml');
  const site: Site = {
    folder,
    file,
    write: (name, content) => writeFile(join(folder, name), content, { mode: 0o600 }),
    examine: (config, now = Date.now()) => {
      const text = typeof config === 'string' ? config : stringify({ ...minimal, ...config });
      return examineText(text, { file, own: new Map([[file, 'as it was']]), now });
    },
    problems: async (config) => {
      const { problems } = await site.examine(config);
      return problems.map((problem) => describeProblem(problem).replaceAll(`${folder}/`, ''));
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
  const { anchorPem, issueServer } = authority();
  const server = issueServer();
  await site.write('anchor.pem', anchorPem);
  await site.write('server.pem', server.chainPem);
  await site.write('server.key', server.keyPem);
  return site;
}

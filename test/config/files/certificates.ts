/** Server certificates, and what a site reports about one. */
import type { IssueOptions } from '../../../src/issuing/certificate.ts';
import { authority } from '../../support/pki/authority.ts';
import type { Site } from '../site.ts';

export const now = Date.UTC(2030, 0, 15);
export const day = 24 * 3_600_000;
export const pki = authority({ now });
export const server = (options: Partial<IssueOptions> = {}) => pki.issueServer(options);
export const plain = server();

/** Writes the files of one certificate, and examines them; without the folder. */
export async function examineCertificate(site: Site, chain: string, key: string, passphraseFile?: string) {
  await site.write('chain.pem', chain);
  await site.write('chain.key', key);
  return examineFiles(site, passphraseFile);
}

/** Examines the files that `examineCertificate` has written. */
export async function examineFiles(site: Site, passphraseFile?: string) {
  const certificate = { chain: 'chain.pem', key: 'chain.key', ...(passphraseFile ? { passphraseFile } : {}) };
  const { problems, warnings, loaded } = await site.examine({ listen: { certificate } }, now);
  const describe = ({ path, found }: (typeof problems)[number]) =>
    `${path}: ${found.replaceAll(`${site.folder}/`, '')}`;
  return { problems: problems.map(describe), warnings: warnings.map(describe), loaded };
}

/** The role in which a certificate is judged: client, server or CA, as `--as` names it, or by its contents and its place. */
import { findPurposeFault } from '../identity/extended-key-usage.ts';
import type { Certificate } from '../pki/certificate.ts';
import { signsOnlyCrls } from '../trust/trust-anchor.ts';
import {
  type Judgement,
  type JudgementContext,
  judgeCa,
  judgeClient,
  judgeServer,
  type Role,
} from './objections.ts';
import type { CertificateItem, ReadSource } from './reading/item.ts';

const serverAuth = '1.3.6.1.5.5.7.3.1';

interface RoleOptions {
  /** null: each certificate is judged by its contents. */
  readonly role: Role | null;
  /** What clients are judged by. */
  readonly given: JudgementContext;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** null: it is judged together with the leaf before it. */
export function judgeCertificate(
  item: CertificateItem,
  from: ReadSource,
  { role, given, now }: RoleOptions,
): Judgement | null {
  const { certificate } = item;
  if (certificate === null) return judgeClient(item, given);
  if (role === null && isInServerChain(item, from)) return null;
  const chain = from.isChain ? chainIn(from) : null;
  const chosen = role ?? (chain?.[0] === certificate ? 'server' : roleOf(certificate));
  switch (chosen) {
    case 'client':
      return judgeClient(item, given);
    case 'ca':
      return judgeCa(certificate, now);
    case 'server':
      return judgeServer(chain?.[0] === certificate ? chain : chainAfter(item, from), now);
    default:
      return chosen satisfies never;
  }
}

/** The certificates as a server sent them; null if the first is not readable. */
function chainIn({ items }: ReadSource): [Certificate, ...Certificate[]] | null {
  const [first, ...rest] = items.flatMap((item) => (item.kind === 'certificate' ? [item.certificate] : []));
  if (first === undefined || first === null) return null;
  return [first, ...rest.filter((each) => each !== null)];
}

/** Whether it is a CA after a server certificate, in its file or in what the server sent. */
function isInServerChain(item: CertificateItem, { items, isChain }: ReadSource): boolean {
  const certificates = items.flatMap((each) => (each.kind === 'certificate' ? [each] : []));
  const before = certificates.slice(0, certificates.indexOf(item)).map(({ certificate }) => certificate);
  if (isChain) return before.length > 0;
  const leaf = before.findLast((each) => each?.isCa !== true);
  return item.certificate?.isCa === true && leaf != null && roleOf(leaf) === 'server';
}

/** The certificate, then the CAs that follow it in its file. */
function chainAfter(item: CertificateItem, { items }: ReadSource): [Certificate, ...Certificate[]] {
  const following: Certificate[] = [];
  for (const each of items.slice(items.indexOf(item) + 1)) {
    if (each.kind !== 'certificate' || each.certificate?.isCa !== true) break;
    following.push(each.certificate);
  }
  return [item.certificate as Certificate, ...following];
}

/** By its contents; a leaf for server authentication alone is a server's. */
function roleOf(certificate: Certificate): Role {
  if (certificate.isCa || signsOnlyCrls(certificate)) return 'ca';
  const { extendedKeyUsage } = certificate;
  const isForServers = extendedKeyUsage?.includes(serverAuth) === true;
  return isForServers && findPurposeFault(certificate) !== null ? 'server' : 'client';
}

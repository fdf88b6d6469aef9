/** An anchor whose issuing CA, which also signs the CRLs, gets another certificate. */
import { type IssueOptions, issueCertificate } from '../../../src/issuing/certificate.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { RevocationCheck } from '../../../src/revocation/judgement.ts';
import type { Revocation } from '../../../src/revocation/service.ts';
import type { Issued } from '../pki/authority.ts';
import { day, type Stage, start } from './stage.ts';

/** The anchor after its issuing CA got another certificate, with the same key by default. */
export function renewSigner(
  stage: Pick<Stage, 'own' | 'certificatesOf' | 'time'>,
  changes: Partial<IssueOptions> = {},
) {
  const [root, issuing] = stage.certificatesOf(stage.own);
  const issued = issueCertificate({
    subject: stage.own.issuing.subject,
    issuer: stage.own.root,
    key: stage.own.issuing.privateKey,
    notBefore: start - day,
    notAfter: issuing.notAfter + day,
    basicConstraints: { ca: true, pathLength: 0 },
    keyUsage: ['keyCertSign', 'cRLSign'],
    ...changes,
  });
  const renewed = parseCertificate(issued.der);
  return {
    issued,
    renewed,
    certificates: [root, renewed] as const,
    statusOf: (revocation: Revocation, leaf: Issued) => {
      const check = new RevocationCheck(revocation.material('own'), [root, renewed]);
      return check.resultOf([parseCertificate(leaf.der), renewed, root], stage.time.now).status;
    },
  };
}

/** An identity policy with one anchor, `own`, which has the given certificates, root first. */
import type { IdentityPolicy } from '../../../src/identity/client-checks.ts';
import { PathCache } from '../../../src/identity/path-cache.ts';
import type { Certificate } from '../../../src/pki/certificate.ts';
import { RevocationCheck } from '../../../src/revocation/judgement.ts';
import type { RevocationMaterial } from '../../../src/revocation/state.ts';
import { nothingToAsk } from '../revocation/revocation.ts';

/** Without pins and match, and without revocation sources unless `material` adds them. */
export function identityPolicy(
  certificates: readonly Certificate[],
  changes: Partial<IdentityPolicy> = {},
  material: Partial<RevocationMaterial> = {},
): IdentityPolicy {
  return {
    generation: 7,
    certificate: 'required',
    pins: null,
    match: null,
    registered: null,
    opensslHasAnchors: true,
    paths: new PathCache([{ name: 'own', certificates }]),
    revocation: new Map([['own', new RevocationCheck({ ...nothingToAsk, ...material }, certificates)]]),
    ...changes,
  };
}
